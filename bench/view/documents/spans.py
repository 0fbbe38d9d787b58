"""A value with its ends in documents.

span_json(Span(412.0, 387.0, 437.0))     # {"value": 412.0, "low": 387.0, "high": 437.0}
"""

from __future__ import annotations

from bench.view.spans import ValueWithEnds


def span_json(found: ValueWithEnds) -> dict[str, float | None]:
    """Value and ends for a machine."""
    return {"value": found.value, "low": found.low, "high": found.high}
