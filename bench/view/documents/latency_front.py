"""Joules against latency of served cases, as a part of `compare --across-hardware --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.compare.latency_front import LatencyFront, LatencyPoint
from bench.core.figures import Estimate, LatencyFigures


def document(fronts: Iterable[LatencyFront]) -> list[dict[str, Any]]:
    """Fronts as plain values, single points too."""
    return [{**vars(front.key), "points": [_plain(point) for point in front.points]} for front in fronts]


def _plain(point: LatencyPoint) -> dict[str, Any]:
    figures, energy = point.figures, point.row.energy
    return {
        "label": point.row.found.record.label,
        "where": point.row.found.where,
        "machine": point.row.place.machine,
        "energy_per_unit_j": {"value": energy.value, "low": energy.low, "high": energy.high},
        "end_to_end_s": point.end_to_end_s,
        "end_to_end_p99_s": figures.end_to_end_s.p99.value if figures.end_to_end_s else None,
        "ttft_s": _median(figures.ttft_s),
        "inter_token_s": _median(figures.inter_token_s),
        "requests_per_s": _value(figures.requests_per_s),
        "front": point.front,
    }


def _median(found: LatencyFigures | None) -> float | None:
    return _value(found.median if found else None)


def _value(found: Estimate | None) -> float | None:
    return found.value if found else None
