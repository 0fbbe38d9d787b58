"""Joules to CO2e, water and money; human baselines and published figures. Pure functions.

Lower first:

    quantities      typed units and ranges: Wh and g cannot be added
    reference       the bundled figures, each with id, unit, scope, year, source and evidence
    grid            which grid factor `--grid` means
    chain           joules -> Wh -> (PUE, once) -> g CO2e -> (+ embodied, + training) -> litres, money
    measured        records as rows of joules per unit; `assess`: what follows from one
    humans          what a person takes, by method; `tomlinson2024`: the paper; `against`: both beside records
    listing         published figures by scope, and systems that have none
    wording         what every comparison leaves out
"""
