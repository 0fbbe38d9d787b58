"""A stranger's record with markup, formulas and escape sequences in each text: none acts in any output."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from bench.cli import invoke
from scripts.torture.verb_lines import VERB_LINES, arguments
from tests.support.hostile import TEXT, hostile_record
from tests.support.sample import run, save

STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
FOR_PEOPLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")
OF_OTHERS = (
    "csv",
    "jsonl",
    "openmetrics",
    "github-benchmark",
    "model-card",
    "ai-energy",
    "codecarbon",
    "junit",
)


class Planted(NamedTuple):
    """A hostile record of a case that was measured, one of a case that failed, and a good record."""

    measured: Path
    failed: Path
    good: Path


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder = tmp_path_factory.mktemp("hostile")
    kept = run(300.0, random.Random(1), tokens=340)
    failed = kept.model_copy(update={"status": "failed", "reasons": ["it ended"]})
    return Planted(
        hostile_record(folder / "measured" / "a.json", kept),
        hostile_record(folder / "failed" / "a.json", failed),
        save(folder / "good" / "a.json", run(320.0, random.Random(2), tokens=340)),
    )


def said(words: str, damaged: Path, good: Path, scratch: Path) -> tuple[bytes, str]:
    """What a command line writes to stdout and to stderr."""
    out, errors = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = invoke(arguments(words, damaged, good, scratch))
    assert status in (0, 1, 2, 3), errors.getvalue()
    assert isinstance(out.buffer, io.BytesIO)
    return out.buffer.getvalue(), errors.getvalue()


def test_the_text_is_planted_widely(planted: Planted) -> None:
    for path in planted[:2]:
        assert path.read_text(encoding="utf-8").count("<script>alert(1)") > 25


@pytest.mark.parametrize("words", [line for line in VERB_LINES if not line.startswith("export package")])
def test_no_character_that_steers_a_terminal_is_written(words: str, planted: Planted, tmp_path: Path) -> None:
    forbidden = STEERING if words.startswith(tuple(f"export {name}" for name in OF_OTHERS)) else FOR_PEOPLE
    for damaged in planted[:2]:
        out, errors = said(words, damaged, planted.good, tmp_path)
        assert forbidden.search(out.decode("utf-8")) is None
        assert FOR_PEOPLE.search(errors) is None


@pytest.mark.parametrize("name", ["csv", "codecarbon", "ai-energy-score"])
def test_no_cell_of_a_spreadsheet_is_a_formula(name: str, planted: Planted, tmp_path: Path) -> None:
    out, _ = said(f"export {name} DAMAGED -o -", planted.measured, planted.good, tmp_path)
    cells = [cell for row in csv.reader(io.StringIO(out.decode(), newline="")) for cell in row]
    assert any(cell.startswith("'=1+1") for cell in cells)
    for cell in cells:
        if cell.lstrip().startswith(("=", "+", "-", "@")):
            float(cell)  # numbers stay numbers


def test_a_query_as_csv_has_no_formula(planted: Planted, tmp_path: Path) -> None:
    words = "query TABLES --csv --results FOLDER"
    out, _ = said(words, planted.measured, planted.good, tmp_path)
    assert "'=1+1" in out.decode()
    assert re.search(r'(^|,)"?=', out.decode()) is None


class Elements(HTMLParser):
    """Elements and attributes of a page, and the contents of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.names and self.names[-1] == "script":
            self.scripts[-1] += data


def elements(page: str) -> Elements:
    seen = Elements()
    seen.feed(page)
    seen.close()
    return seen


def test_the_page_has_no_script_of_a_record(planted: Planted, tmp_path: Path) -> None:
    pytest.importorskip("altair", reason="the extra `report` is not installed")
    words = "report DAMAGED -o - --baseline GOOD"
    hostile = said(words, planted.measured, planted.good, tmp_path)[0].decode()
    plain = said(words, planted.good, planted.good, tmp_path)[0].decode()
    assert "<script>alert" not in hostile
    seen, as_ever = elements(hostile), elements(plain)
    assert len(seen.scripts) == len(as_ever.scripts)
    assert set(seen.names) <= set(as_ever.names) | {"ul", "li", "details", "summary", "p", "pre", "code"}
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert any("alert(1)" in script and json.loads(script) for script in seen.scripts if script[:1] == "{")


def test_markdown_keeps_its_tables_and_has_no_element(planted: Planted, tmp_path: Path) -> None:
    for words in (
        "report DAMAGED -o - --format md --baseline GOOD",
        "export github-summary DAMAGED GOOD -o -",
    ):
        text = said(words, planted.measured, planted.good, tmp_path)[0].decode()
        assert "script" in text
        assert "<script" not in text
        columns = None
        for line in text.splitlines():
            bars = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
            assert columns is None or bars is None or bars == columns, line
            columns = bars


def test_junit_is_whole_xml(planted: Planted, tmp_path: Path) -> None:
    for a, b in ((planted.measured, planted.good), (planted.failed, planted.good)):
        out, _ = said("export junit DAMAGED GOOD -o -", a, b, tmp_path)
        root = ElementTree.fromstring(out)
        assert {each.tag for each in root.iter()} <= {
            "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out",
        }  # fmt: skip
    assert any("<script>" in text for each in root.iter() for text in each.attrib.values())


def test_json_is_the_very_text(planted: Planted, tmp_path: Path) -> None:
    out, _ = said("export jsonl DAMAGED -o -", planted.measured, planted.good, tmp_path)
    assert json.loads(out)["label"] == TEXT
