"""Joules of a record's flat values, written as far as the interval beside them allows.

with_joules_rounded(flat(found))["energy_per_unit_j"].text      # "303.6", with "300.5" and "306.7" beside it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.view.content import Written
from bench.view.numbers import by_width, rounded

VALUE, LOW, HIGH = (f"energy_per_unit_{end}j" for end in ("", "low_", "high_"))
NET = "net_energy_per_unit_j"


def with_joules_rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same mapping with its joules as cells; without both ends of the interval as it is."""
    known = {name: each for name in (VALUE, LOW, HIGH, NET) if isinstance(each := values.get(name), float)}
    if not {VALUE, LOW, HIGH} <= known.keys():
        return dict(values)
    value, low, high = known[VALUE], known[LOW], known[HIGH]
    found = rounded(value, low, high)
    cells = {VALUE: found.value, LOW: found.low, HIGH: found.high}
    if (net := known.get(NET)) is not None:
        cells[NET] = by_width(net, net - (value - low), net + (high - value))
    return {**values, **{name: Written(text, known[name]) for name, text in cells.items()}}
