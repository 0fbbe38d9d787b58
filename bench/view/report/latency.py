"""Joules against latency of served cases: a chart and a table for each group that may be set side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.compare.across import across
from bench.compare.latency_front import LatencyFront, LatencyPoint, latency_fronts
from bench.view import charts
from bench.view import latency_front as view
from bench.view.content import Chart, Section, Table, clean
from bench.view.report.report_data import ReportData

LEAD = (
    "More requests at once mostly take fewer joules a unit and more seconds an answer. Seconds are the "
    "median from sending a request to the end of its answer. The dashed line joins the loads that no other "
    "beats in both; answers of other sizes are in a chart of their own."
)


def section(data: ReportData) -> Section | None:
    """All fronts; `None` where no server was asked."""
    fronts = latency_fronts(across([data.source]).boards)
    if not fronts:
        return None
    parts = [part for number, front in enumerate(fronts) for part in _parts(number, front)]
    return Section("Joules against latency", (LEAD, *parts), id="latency")


def _parts(number: int, front: LatencyFront) -> Iterator[Chart | Table]:
    name, about = f"energy-latency-{number}", view.title(front)
    rows = [_dot(point) for point in front.points]
    yield Chart(name, about, partial(charts.latencies, rows, front.key.unit), f"{name}-table")
    yield view.table_of(front, f"{name}-table")


def _dot(point: LatencyPoint) -> dict[str, object]:
    workload = point.row.found.record.case.workload
    return charts.dot(point.row.energy.value, point.row.energy.low, point.row.energy.high) | {
        "label": clean(point.row.found.record.label, 80),
        "machine": clean(point.row.place.machine, 60),
        "mark": workload.name if workload else "",
        "time_s": point.end_to_end_s,
        "front": point.front,
    }
