"""Documents that verbs print with `--json`: a module a verb, plain values for `json_document.text`.

    json_document.text(document(result, judged))     # `compare --json`

What is absent has no value, with a reason beside it. A document that a program reads again has its `schema`.
"""
