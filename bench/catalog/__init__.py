"""models.yaml and the files beside it, read into typed cases.

    catalogue = loading.load(loading.find())             # or CatalogError with file:line
    for item in cases.plan(catalogue, ["paper"], overrides):
        print(item.case.label, item.case.as_mapping()["hash"], item.measure.target)

A `Case` is one model × weights × engine × precision × batch × output size. Everything in it changes the
work, so all of it enters its hash (`identity`); `Measure`, how long and how often it is measured, does not.
"""
