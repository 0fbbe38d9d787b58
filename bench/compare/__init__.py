"""Comparison of records. Reads records only: needs neither torch nor a GPU.

    result = compare.compare(sources.load("base"), sources.load("head"))
    for comparison in result.comparisons:
        print(comparison.label, comparison.verdict)

`metrics` has what is compared, `identity` what makes two records alike, `statistics` gives ratios with
intervals, `noise` what equal things differ by, `compare` the verdicts, `gate` the exit status, `across` the
view over machines, `exports` other programs' formats.
"""
