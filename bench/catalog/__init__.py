"""models.yaml and the files beside it, read into typed cases.

    catalogue = load(path)                          # or CatalogError with file:line
    cases = plan(catalogue, ["paper"], overrides)   # suites and models -> Case, each with its hash

A `Case` is one model × weights × engine × precision × batch × output size. Everything in it changes the
work, so all of it goes into `Case.hash`; how long and how often it is measured does not.
"""
