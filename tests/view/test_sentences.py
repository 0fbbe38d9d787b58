"""One sentence a record."""

from __future__ import annotations

import re

import pytest

from bench.view import results, terminal
from bench.view.content import Table
from bench.view.sentences import of_record, of_records
from tests.support.factory import case, record
from tests.support.reported import measured, varied

IMAGE = case(model="sdxl", unit="image", engine="image")


def test_joules_interval_grams_watt_hours_and_seconds_of_one_unit() -> None:
    text = of_record(measured(960.0, "NVIDIA H100", case=IMAGE), "sdxl")
    pattern = r"sdxl on NVIDIA H100: 97\d J \(±1\.\d %\) an image, 0\.0\d+ g CO2e, 0\.27 Wh; 30 s\."
    assert re.fullmatch(pattern, text), text


def test_what_is_not_ok_says_why() -> None:
    failed = record(status="failed", blocks=[], failure={"stage": "load", "message": "no such revision"})
    assert of_record(failed, "x").endswith(": no figure; failed at load: no such revision")
    spoilt = measured(300.0, status="invalid", reasons=["too few valid blocks: 2 of 6"])
    assert of_record(spoilt, "x").endswith("30 s. invalid: too few valid blocks: 2 of 6")


def test_random_weights_and_estimates_are_named() -> None:
    texts = list(of_records(varied()))
    assert "(random weights) on Card A" in texts[3]
    assert "%, estimated) a page" in texts[4]
    assert texts[-1] == "1 more are in the table."


@pytest.mark.parametrize("notes", [False, True])
def test_the_table_of_a_run_fits_80_columns_and_keeps_grams(
    *,
    notes: bool,
) -> None:
    section = results.section(varied(), notes=notes)
    table = next(part for part in section.parts if isinstance(part, Table))
    lines = list(terminal.lines([table], terminal.Room(80, 80)))
    assert max(map(len, lines)) <= 80
    assert "g CO2e" in lines[0]
    assert "J gross" in lines[0]
    assert ("blocks" in " ".join(column.name for column in table.columns)) == notes
