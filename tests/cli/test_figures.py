"""Figures as files: the same in SVG and PNG, with data that the drawing was made from."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.footprint.grid import choose
from bench.records import store
from bench.report.gather import Settings
from tests.cli.conftest import Typed
from tests.report.sample import measured, source

pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
pytest.importorskip("altair", reason="the extra `report` is not installed")

from bench.report import figures


def test_each_figure_is_whole_in_every_form(tmp_path: Path) -> None:
    made = list(figures.figures([source([measured(300.0)])], Settings(choose("400"))))
    names = [figure.name for figure in made]
    assert names[:2] == ["tomlinson2024-page", "tomlinson2024-image"]
    assert len(set(names)) == len(names)
    for figure in made:
        root = ElementTree.fromstring(figure.svg)
        assert root.tag.endswith("svg")
        assert "hatch-c2620e" in {each.get("id") for each in root.iter()}
        assert figure.png.startswith(b"\x89PNG")
        assert "400 g CO2e/kWh" in figure.caption
    first = made[0]
    rows = list(csv.DictReader(io.StringIO(first.csv)))
    assert float(rows[0]["J"]) == pytest.approx(303.6)
    for words in ("bloom-560m", "chatgpt.page", "tomlinson2024.page.us"):
        assert words in first.svg
    assert "orbit2023" not in first.svg


def test_the_command_writes_them_with_their_captions(typed: Typed, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "machine"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(store.to_json(measured(300.0)))
    done = typed("figures", "-o", "drawn")
    assert (done.status, done.err) == (0, "")
    written = {path.name for path in (tmp_path / "drawn").iterdir()}
    assert {
        "tomlinson2024-page.svg",
        "tomlinson2024-page.png",
        "tomlinson2024-page.csv",
        "captions.md",
    } <= written
    assert done.out.splitlines()[-1] == "drawn/captions.md"
    assert "**tomlinson2024-page**" in (tmp_path / "drawn" / "captions.md").read_text()


def test_a_folder_that_cannot_be_made_is_one_sentence(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "file").write_text("")
    done = typed("figures", "-o", "file/inside")
    assert (done.status, done.out) == (2, "")
    assert "file/inside: cannot be written" in done.err
