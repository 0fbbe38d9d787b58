"""Joules against latency of served cases: a chart and a table for each group that may be set side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.compare.across import across
from bench.compare.latency_front import LatencyFront, LatencyPoint, latency_fronts
from bench.compare.machine_column import card_model
from bench.view import charts
from bench.view import latency_front as view
from bench.view.content import Chart, Section, Table, clean
from bench.view.numbers import digits
from bench.view.report.footer import METERED, footer
from bench.view.report.report_data import ReportData
from bench.view.short_names import machine_name
from bench.view.spans import value_text

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
    models = [card_model(point.row.found.record).name for point in front.points]
    places = {(model, point.row.place.card) for model, point in zip(models, front.points, strict=True)}
    alike = len(places) > len(set(models))
    rows = [_dot(point, model if alike else None) for point, model in zip(front.points, models, strict=True)]
    draw = partial(charts.latencies, rows, front.key.unit)
    foot = footer([(point.row.found, front.key.kind) for point in front.points], (), METERED)
    yield Chart(name, about, draw, f"{name}-table", _takeaway(front), foot)
    yield view.table_of(front, f"{name}-table")


def _takeaway(front: LatencyFront) -> str:
    """The load of fewest joules and the quickest one."""
    least = min(front.points, key=lambda point: point.energy.value)
    quickest = min(front.points, key=lambda point: point.end_to_end_s)
    return (
        f"Fewest joules per {front.key.unit}: {value_text(least.energy)} J with {_load(least)}; "
        f"quickest answer: {digits(quickest.end_to_end_s)} s with {_load(quickest)}"
    )


def _load(point: LatencyPoint) -> str:
    workload = point.row.found.record.case.workload
    return clean(workload.name if workload else point.row.found.record.label, 60)


def _dot(point: LatencyPoint, model: str | None) -> dict[str, object]:
    """A dot; like cards share the colour of their model."""
    machine = clean(point.row.place.named, 60)
    workload = point.row.found.record.case.workload
    return charts.dot(point.energy.value, point.energy.low, point.energy.high) | {
        "label": clean(point.row.found.record.label, 80),
        "machine": machine,
        "group": machine if model is None else machine_name(model),
        "mark": workload.name if workload else "",
        "time_s": point.end_to_end_s,
        "front": point.front,
    }
