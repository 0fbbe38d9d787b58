"""Scenarios: a person alone, a model alone, and a person with a model, from stated inputs with ranges.

draft = files.find("critics").changed("model.grid=FRA")   # YAML, with the place of every entry
scenario = build.build(draft)                              # units, scopes, defaults checked
found = simulation.SimulationReport.of(scenario, draws=100_000, seed=0)
found.ratios["model"].low, found.ratios["model"].high      # 95 % range of person over model

draft           what a scenario states, entry by entry; `inputs`: one entry as a number, in `units`
model           the formulas, plain arithmetic on numbers or arrays of draws
distributions   the shape of what is not known exactly
decisions       the outcome under each way to make the one choice that decides it
"""
