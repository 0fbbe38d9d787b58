"""Storage of measurements: one self-describing JSON file per case.

    record = Record.model_validate_json(text)       # or `store.read(path)` with errors for people
    record.figures["energy_per_unit_j"]["gpu"].gross.value

Raw values are kept as they were read; every figure can be derived again from them (`figures.derive`).
"""
