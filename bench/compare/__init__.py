"""Comparison of records. Reads records only: needs neither torch nor a GPU.

    result = comparison.compare(records_below(base), records_below(head))
    for each in result.comparisons:
        print(each.a.record.label, each.verdict)

`record_names` is the grammar of what a user types, `record_selection` resolves it, and `record_set` reads
records in full; an `index` is used where they are many. `metrics` has what is compared, `identity` what makes
two records alike, `noise` what equal cases differ by, `comparison` the verdicts, `gate` the exit status,
`across` the view over machines.
Ratios with intervals are those of `bench.stats.ratio`; other programs' formats are in `bench.exports`.
"""
