"""Joules to CO2e, water and money; human baselines, published figures, scenarios. Pure functions.

Lower first:

    quantities      typed units and ranges: Wh and g cannot be added
    reference       the bundled figures, each with id, unit, scope, year, source and evidence
    grid            which grid factor `--grid` means
    chain           joules -> Wh -> (PUE, once) -> g CO2e -> (+ embodied, + training) -> litres, money
    measured        records as rows of joules per unit; `assess`: what follows from one
    humans          what a person takes, by method; `tomlinson2024`: the paper; `against`: both beside records
    listing         published figures by scope, and systems that have none
    scenario_model  a person, a model, and both together: formulas of plain arithmetic
    distributions   what is stated of a number; `inputs`, `scenario_units`: as one in the model's own units
    draft          what a scenario states; `scenario_file`, `scenario_build`, `scenario`: read, checked, held
    simulation      draws, tornado and break-evens of a scenario
    rates           joules per token, page or image; `cost`: as money; `fleet`: as power and CO2e of a year
    wording         what every comparison leaves out
"""
