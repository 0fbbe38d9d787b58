"""Records and comparisons in other programs' formats; `bench/cli/export_formats.py` lists them by name.

Every format is of the same flat rows (`compare.record_row.flat`), gross joules per unit at the headline's
scope. What a format cannot express is left out, never filled in.
"""
