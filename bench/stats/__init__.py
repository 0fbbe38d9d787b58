"""Statistics of measured blocks: means with intervals, uncertainty budgets, ratios.

    figures.estimate(values)     # mean and 95 % interval over blocks
    uncertainty.of(record)       # the budget of a headline (JCGM 100:2008, the GUM)
    ratio.ratio(a, b)            # B over A with interval and p-value

Pure functions of records and numbers.
"""
