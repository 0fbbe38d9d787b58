"""Joules against latency: which loads are beside each other, and which no other beats."""

from __future__ import annotations

from bench.compare.across import across, budget_of
from bench.compare.front import on_front
from bench.compare.latency_front import latency_fronts
from bench.core.recorded import RecordedCase
from bench.footprint.grid import choose
from bench.view.content import Chart
from bench.view.report import build
from bench.view.report.report_data import Settings
from tests.compare.machines import LOADS, on, served
from tests.support.factory import case
from tests.support.reported import source


def test_the_front_has_the_loads_that_no_other_beats_in_both() -> None:
    (front,) = latency_fronts(across([source(LOADS)]).boards)
    assert [(point.end_to_end_s, point.front) for point in front.points] == [
        (1.0, True),
        (1.5, True),
        (2.0, False),
        (4.0, True),
    ]
    assert front.key.unit == "page"
    assert on_front((1.0, 1.0), [(1.0, 1.0), (1.0, 1.0)]), "an equal one does not beat it"


def test_on_one_machine_intervals_are_without_what_all_its_points_share() -> None:
    (front,) = latency_fronts(across([source(LOADS)]).boards)
    for point in front.points:
        budget = budget_of(point.row.found.record)
        assert budget is not None
        assert budget.same_card is not None
        assert (point.energy.low, point.energy.high) == (budget.same_card.low, budget.same_card.high)
        assert point.row.energy.low is not None
        assert point.energy.low is not None
        assert point.energy.low > point.row.energy.low
    elsewhere = served(8, 100, 0.9, "other")
    (both,) = latency_fronts(across([source((*LOADS, elsewhere))]).boards)
    assert all(point.energy == point.row.energy for point in both.points)


def test_requests_that_are_all_sent_at_once_have_no_latency_to_compare() -> None:
    burst = served(8, 100, 40.0)
    window = {"kind": "saturated", "load": 8, "requests": 100, "producer": "endpoint"}
    changed = case(workload=window)
    burst = burst.model_copy(update={"case": RecordedCase.model_validate(changed)})
    (front,) = latency_fronts(across([source((*LOADS, burst))]).boards)
    assert len(front.points) == 4


def test_answers_of_another_size_and_cases_without_a_server_are_not_beside_them() -> None:
    longer = served(8, 600, 3.0, options={"new_tokens": 2048, "static_cache": True})
    fronts = latency_fronts(across([source((*LOADS, longer, on("card", 200)))]).boards)
    assert sorted(len(front.points) for front in fronts) == [1, 4]
    two = latency_fronts(across([source((*LOADS, served(8, 100, 0.9, "other")))]).boards)
    assert [point.row.place.machine for point in two[0].points if point.front] == ["other 1"]


def test_the_report_has_a_chart_of_it_only_where_a_server_was_asked() -> None:
    made = build.report([source(LOADS)], Settings(choose("400")))
    (section,) = [each for each in made.sections if each.id == "latency"]
    (chart,) = [part for part in section.parts if isinstance(part, Chart)]
    assert "Joules against latency" in chart.about
    plain = build.report([source([on("card", 200)])], Settings(choose("400")))
    assert not [each for each in plain.sections if each.id == "latency"]
