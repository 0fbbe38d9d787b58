"""The report of many machines: like cards share a row, every model is drawn, machines are in a fold."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from bench.core.record import Record
from bench.footprint.grid import choose
from bench.view.content import Chart, Fold, Section, Table, every_part
from bench.view.report import machines, people, phase_shares
from bench.view.report.like_cards import representatives
from bench.view.report.report_data import ReportData, Settings, gather
from tests.support.rack import MACHINES, rack
from tests.support.reported import source

FORTY_EIGHT = {f"RTX {number}000": 4 for number in range(1, 13)}


def report_data(records: Iterable[Record]) -> ReportData:
    """Data of a report of these records."""
    return gather([source(list(records))], Settings(choose("400")))


@pytest.fixture(scope="module")
def twelve() -> ReportData:
    """Two cases on twelve machines of four card models."""
    return report_data(rack(random.Random(1)))


def chart(section: Section | None, name: str) -> Any:
    """Specification of a chart."""
    assert section is not None
    (found,) = [part for part in every_part([section]) if isinstance(part, Chart) and part.id == name]
    return found.draw()


def texts(specification: Any, key: str) -> set[str]:
    """Values of a key in the data of a chart, however deep."""
    if isinstance(specification, dict):
        own = {str(specification[key])} if isinstance(specification.get(key), str | int | float) else set()
        return own.union(*(texts(each, key) for each in specification.values()))
    if isinstance(specification, list):
        return set().union(*(texts(each, key) for each in specification))
    return set()


def joules(record: Record) -> float:
    """Headline of a record."""
    headline = record.headline()
    assert headline is not None
    return headline.value


def test_of_like_cards_the_one_with_the_median_joules_is_drawn(twelve: ReportData) -> None:
    drawn = representatives(twelve.newest)
    assert sorted(drawn.values()) == sorted(
        2 * ["A100-SXM4-80GB, median of 2", "H100 80GB HBM3, median of 5", "H200, median of 4"]
        + 2 * ["RTX 4090 00000000"]
    )
    by_digest = {each.digest: each.record for each in twelve.newest}
    for digest, name in drawn.items():
        record = by_digest[digest]
        alike = [
            joules(each)
            for each in by_digest.values()
            if each.case.hash == record.case.hash and each.machine.gpus[0].name == record.machine.gpus[0].name
        ]
        own = joules(record)
        assert abs(sum(j < own for j in alike) - sum(j > own for j in alike)) <= 1, name


def test_the_section_has_a_spread_a_model_and_the_machines_in_a_fold(twelve: ReportData) -> None:
    section = machines.section(twelve)
    assert section is not None
    open_tables = [part for part in section.parts if isinstance(part, Table)]
    (spread,) = [each for each in open_tables if each.id == "card-models-table"]
    names = [column.name for column in spread.columns]
    cells = [dict(zip(names, row.cells, strict=True)) for row in spread.rows]
    assert sorted((each["card model"], each["cards"]) for each in cells) == sorted(2 * list(MACHINES.items()))
    assert {each["between cards, %"] for each in cells if each["cards"] == 1} == {"one card"}
    (fold,) = [part for part in section.parts if isinstance(part, Fold)]
    assert {len(part.rows) for part in fold.parts if isinstance(part, Table)} == {12, 24}
    drawing = chart(section, "energy-time-0")
    assert len(texts(drawing, "machine")) == 12, "every machine has its dot"
    assert texts(drawing, "group") == set(MACHINES)


def test_machines_of_one_model_each_stay_as_they_were(twelve: ReportData) -> None:
    alone = {each.record.machine.gpus[0].name: each for each in twelve.newest}
    section = machines.section(replace(twelve, found=tuple(alone.values())))
    assert section is not None
    assert not [part for part in section.parts if isinstance(part, Fold)]
    assert {each.id for each in section.parts if isinstance(each, Table)} == {"matrix", "energy-time-0-table"}


def test_every_one_of_twelve_models_is_drawn_of_48_machines() -> None:
    data = report_data(rack(random.Random(3), FORTY_EIGHT))
    shares = texts(chart(phase_shares.section(data), "shares-idle"), "label")
    ratios = texts(chart(people.section(data), "people-page-times"), "label")
    for model in FORTY_EIGHT:
        assert sum(f" {model}, median of 4" in label for label in shares) == 2
        assert sum(f" {model}, median of 4" in label for label in ratios) == 2
    section = people.section(data)
    assert "Of like cards the one with the median joules is drawn; the table has 72 more." in section.parts
