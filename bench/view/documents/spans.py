"""A value with its ends in documents.

span_json(Span(412.0, 387.0, 437.0))     # {"value": 412.0, "low": 387.0, "high": 437.0}
"""

from __future__ import annotations

from typing import Protocol


class ValueWithEnds(Protocol):
    """What a range, a span and a ratio have in common."""

    @property
    def value(self) -> float:
        """The value."""

    @property
    def low(self) -> float | None:
        """Its lower end; `None` where that is not known."""

    @property
    def high(self) -> float | None:
        """Its upper end; `None` where that is not known."""


def span_json(found: ValueWithEnds) -> dict[str, float | None]:
    """Value and ends for a machine."""
    return {"value": found.value, "low": found.low, "high": found.high}
