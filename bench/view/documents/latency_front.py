"""Joules against latency of served cases, as a part of `compare --across-hardware --json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bench.compare.latency_front import LatencyFront, LatencyPoint
from bench.view.documents.spans import span_json


def document(fronts: Iterable[LatencyFront]) -> list[dict[str, Any]]:
    """Fronts as plain values, single points too."""
    return [{**vars(front.key), "points": [_plain(point) for point in front.points]} for front in fronts]


def _plain(point: LatencyPoint) -> dict[str, Any]:
    return {
        "label": point.row.found.record.label,
        "where": point.row.found.where,
        "machine": point.row.place.machine,
        "energy_per_unit_j": span_json(point.energy),
        "end_to_end_s": point.end_to_end_s,
        "end_to_end_p99_s": point.end_to_end_p99_s,
        "ttft_s": point.ttft_s,
        "inter_token_s": point.inter_token_s,
        "requests_per_s": point.requests_per_s,
        "front": point.front,
    }
