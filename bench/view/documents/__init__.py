"""Documents that verbs print with `--json`: a module a verb, plain values for `json_document.text`.

    json_document.text(comparison.document(result, judged))

Absent values are `null` with a reason beside them. A document that a program reads again has its `schema`.
"""
