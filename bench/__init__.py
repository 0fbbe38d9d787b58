"""joulebench: joules and grams of CO2e per page, image and second, measured on this machine.

Start at `bench.cli` for what a person types, at `bench.runner` for how a measurement is made, and at
`bench.records` for what is kept of it. `python -m bench --help` lists the verbs.
"""

__version__ = "0.1.0"
