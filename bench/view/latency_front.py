"""Joules against latency of served cases, as tables and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bench.compare.latency_front import LatencyFront, LatencyPoint
from bench.core.figures import Estimate, LatencyFigures
from bench.view.content import Cell, Section, Table, TableRow, columns, table
from bench.view.spans import spanned

LEGEND = "front: no other load takes both fewer joules and less time. Seconds are medians, from sending on."


def sections(fronts: Iterable[LatencyFront]) -> Iterator[Section]:
    """A table a front; one point alone has nothing to be compared with."""
    for front in fronts:
        if len(front.points) > 1:
            yield Section(title(front), (table_of(front), LEGEND))


def title(front: LatencyFront) -> str:
    """The facts that its points share, in words."""
    key = front.key
    return (
        f"Joules against latency: J/{key.unit} at scope {key.scope}, {key.kind}, {key.weights} weights, "
        f"answers of {key.answers}"
    )


def table_of(front: LatencyFront, name: str = "") -> Table:
    """Every point, the quickest first."""
    heads = columns(
        "case",
        "machine",
        f"#J/{front.key.unit}",
        "#s an answer",
        "#99th",
        "#s to first token",
        "#s a token",
        "#answers/s",
        "front",
    )
    return table(heads, (TableRow(_cells(point), point.row.found.digest) for point in front.points), "", name)


def _cells(point: LatencyPoint) -> tuple[Cell, ...]:
    figures = point.figures
    return (
        point.row.found.record.label,
        point.row.place.machine,
        spanned(point.row.energy),
        point.end_to_end_s,
        figures.end_to_end_s.p99.value if figures.end_to_end_s else None,
        _median(figures.ttft_s),
        _median(figures.inter_token_s),
        _value(figures.requests_per_s),
        "yes" if point.front else "",
    )


def document(fronts: Iterable[LatencyFront]) -> list[dict[str, Any]]:
    """The same as plain values, single points too."""
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
