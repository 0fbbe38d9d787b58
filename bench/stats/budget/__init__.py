"""Uncertainty budget: the GUM's arithmetic, the evidence, and the inputs of card and host.

`bench.stats.uncertainty.of` puts it together.
"""
