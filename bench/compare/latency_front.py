"""Joules against latency of served cases: loads, servers and machines beside each other.

    for front in latency_fronts(across([source]).boards):
        [point.row.found.record.label for point in front.points if point.front]

A higher load mostly takes fewer joules a page and more seconds an answer. The front has the loads that no
other beats in both. Only answers of one size are in one front, since a longer one takes more of either.
`saturated` is in none: its requests are sent at once, and most of their time is that of the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.compare.across import RankedRow, Ranking, Span, budget_of
from bench.compare.front import Costs, on_front
from bench.core.figures import LatencyFigures, ServedFigures
from bench.core.record import Record


@dataclass(frozen=True)
class FrontKey:
    """Facts that all points of a front share."""

    unit: str
    scope: str
    kind: str
    weights: str
    answers: str
    """Size of an answer in words, and of its prompt where that is fitted."""


@dataclass(frozen=True)
class LatencyPoint:
    """One load of one server: joules per unit, and seconds of an answer from sending to its end."""

    row: RankedRow
    figures: ServedFigures
    end_to_end_s: float
    """Median."""
    energy: Span
    """Joules per unit: on a front of one machine without the errors that all its points share."""
    front: bool = False

    @property
    def costs(self) -> Costs:
        """Joules per unit and seconds of an answer."""
        return self.energy.value, self.end_to_end_s

    @property
    def end_to_end_p99_s(self) -> float | None:
        """Seconds within which 99 of 100 answers came."""
        return self.figures.end_to_end_s.p99.value if self.figures.end_to_end_s else None

    @property
    def ttft_s(self) -> float | None:
        """Median time to the first token."""
        return _median(self.figures.ttft_s)

    @property
    def inter_token_s(self) -> float | None:
        """Median time from token to token."""
        return _median(self.figures.inter_token_s)

    @property
    def requests_per_s(self) -> float | None:
        """Answers a second."""
        return self.figures.requests_per_s.value if self.figures.requests_per_s else None


@dataclass(frozen=True)
class LatencyFront:
    """Points that may be set beside each other, the quickest first."""

    key: FrontKey
    points: tuple[LatencyPoint, ...]


def latency_fronts(boards: Iterable[Ranking]) -> tuple[LatencyFront, ...]:
    """Fronts of all served cases on boards; none where no server was asked."""
    groups: dict[FrontKey, list[LatencyPoint]] = {}
    for board in boards:
        for row in board.standings:
            if (point := _point(row)) is not None:
                groups.setdefault(_key(board, row.found.record), []).append(point)
    ordered = sorted(groups.items(), key=lambda item: tuple(vars(item[0]).values()))
    return tuple(LatencyFront(key, _marked(points)) for key, points in ordered)


def _median(found: LatencyFigures | None) -> float | None:
    return found.median.value if found else None


def _point(row: RankedRow) -> LatencyPoint | None:
    served, workload = row.found.record.figures.served, row.found.record.case.workload
    if served is None or served.end_to_end_s is None or (workload and workload.kind == "saturated"):
        return None
    return LatencyPoint(row, served, served.end_to_end_s.median.value, row.energy)


def _key(board: Ranking, record: Record) -> FrontKey:
    workload = record.case.workload
    read = f"prompts of {workload.prompt_tokens}" if workload and workload.prompt_tokens else ""
    free = "to the model's end" if workload and workload.ends == "model" else ""
    answers = " ".join(filter(None, (record.case.size, read, free)))
    return FrontKey(board.unit, *board.like, record.case.weights.kind, answers)


def _marked(points: Sequence[LatencyPoint]) -> tuple[LatencyPoint, ...]:
    if len({point.row.place for point in points}) == 1:
        points = [replace(point, energy=_on_one_card(point.row)) for point in points]
    costs = [point.costs for point in points]
    marked = (replace(point, front=on_front(point.costs, costs)) for point in points)
    return tuple(sorted(marked, key=lambda point: (point.end_to_end_s, point.energy.value)))


def _on_one_card(row: RankedRow) -> Span:
    budget = budget_of(row.found.record)
    found = budget.same_card if budget else None
    return Span(found.value, found.low, found.high) if found else row.energy
