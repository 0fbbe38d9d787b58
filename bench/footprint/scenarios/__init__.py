"""Scenarios: a person alone, a model alone, and a person with a model, from stated inputs with ranges.

draft = files.load("page-2026")          # YAML, with the place of every entry
scenario = build.build(draft, ...)        # units, scopes, defaults checked
simulation.simulate(scenario)             # ratio with a 95 % range, and what moves it
"""
