"""Options of a test in `@pytest.mark.energy(...)`."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.errors import UsageError

METER_OPTIONS = ("gpus", "idle_seconds", "country", "synchronise")
OPTIONS = ("budget_j", "per", *METER_OPTIONS)


def options_of(item: pytest.Item) -> dict[str, Any]:
    """The marker's arguments, checked. Raises UsageError."""
    marker = item.get_closest_marker("energy")
    options = dict(marker.kwargs) if marker else {}
    unknown = [name for name in options if name not in OPTIONS]
    if marker and (unknown or marker.args):
        said = ", ".join(unknown) or "an argument without a name"
        raise UsageError(
            f"{item.nodeid}: the marker energy does not take {said}.", f"It takes {', '.join(OPTIONS)}."
        )
    budget_j = options.get("budget_j")
    if budget_j is not None and not (isinstance(budget_j, int | float) and 0 < budget_j < math.inf):
        raise UsageError(
            f"{item.nodeid}: budget_j={budget_j!r} is not a number of joules.", "Such as budget_j=250."
        )
    return options


def check(items: list[pytest.Item]) -> None:
    """Find mistakes in tests that have the fixture, before the first; the marker on others is not ours."""
    for item in items:
        options_of(item)
