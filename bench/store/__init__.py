"""Storage of measurements: one self-describing JSON file per case.

    record = results.read(path)       # RecordError in words where it is none
    record.figures.energy_per_unit_j["gpu"].gross.value

Raw values are kept as they were read; every figure can be derived again from them (`stats.figures.derive`).
"""
