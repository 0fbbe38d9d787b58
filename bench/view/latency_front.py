"""Joules against latency of served cases, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.compare.latency_front import LatencyFront, LatencyPoint
from bench.view.content import Cell, Section, Table, TableRow, columns, table
from bench.view.spans import plus_minus

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
    return (
        point.row.found.record.label,
        point.row.place.named,
        plus_minus(point.energy),
        point.end_to_end_s,
        point.end_to_end_p99_s,
        point.ttft_s,
        point.inter_token_s,
        point.requests_per_s,
        "yes" if point.front else "",
    )
