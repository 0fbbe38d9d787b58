"""Joules to CO2e, water and money; human baselines, published figures, scenarios. Pure functions.

Lower first; typed units and ranges are of `bench.core.quantities`:

    bundled_rows    the bundled figures, each with id, unit, scope, year, source and evidence
    reference       reads them from `bench/data/reference`
    references      the same rows in files of a user's own; `importers` make them of other tools' files
    grid            which grid factor `--grid` means
    chain           joules -> Wh -> (PUE, once) -> g CO2e -> (+ embodied, + training) -> litres, money
    measured        records as rows of joules per unit; `assess`: what follows from one
    humans          what a person takes, by method
    tomlinson2024   the paper, step by step; `person_vs_model`: its table with measured joules
    listing         published figures by scope, and systems that have none
    scenarios       a person, a model, and both together: formulas, distributions, draws, break-evens
    rates           joules per token, page or image; `cost`: as money; `projection`: as power, CO2e a year
    caveats         what every comparison leaves out
"""
