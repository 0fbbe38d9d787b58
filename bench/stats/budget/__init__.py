"""Uncertainty budget: the GUM's arithmetic, the evidence, and the inputs of card and host.

`records.uncertainty.of(record)` puts it together.
"""
