"""Joules to CO2e, water and money; human baselines and published figures. Pure functions.

step by step:   joules -> Wh -> (PUE, once) -> g CO2e -> (+ embodied, + training) -> litres, money
chain           the steps, each with its factor, source and evidence
quantities      typed units and ranges: Wh and g cannot be added
reference       the bundled figures, each with id, unit, scope, year, source and evidence
grid            which grid factor `--grid` means
"""
