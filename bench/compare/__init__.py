"""Comparison of records. Reads records only: needs neither torch nor a GPU.

    result = comparison.compare(record_set.load("base"), record_set.load("head"))
    for each in result.comparisons:
        print(each.a.record.label, each.verdict)

`record_names`, `record_selection` and `record_set` go from what a user types to records, with an `index`
where they are many. `metrics` has what is compared, `identity` what makes two records alike, `noise` what
equal cases differ by, `comparison` the verdicts, `gate` the exit status, `across` the view over machines.
Ratios with intervals are those of `bench.stats.ratio`; other programs' formats are in `bench.exports`.
"""
