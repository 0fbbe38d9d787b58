"""What an uncertainty budget is made of: the GUM's arithmetic, the evidence, and the inputs, card and host.

`records.uncertainty.of(record)` puts it together.
"""
