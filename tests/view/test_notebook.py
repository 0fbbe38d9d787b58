"""Results as a notebook displays them, and the names that it completes."""

from __future__ import annotations

import inspect
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import bench
from bench.compare.across import across
from bench.compare.comparison import compare
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.view import notebook
from tests.support.reported import HOSTILE, hostile, measured

PUBLIC = [name for name in bench.__all__ if name != "__version__"]
ALLOWED = {"div", "p", "strong", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"}


class Shown(HTMLParser):
    """Rows of all tables, the summaries of folds, and every tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert all(name == "style" for name, _ in attrs)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def one(record: Record) -> RecordSet:
    stored = StoredRecord(record, "a.json", record.label[:20])
    return RecordSet("a", (stored,), (), (), Path())


def some(record: Record) -> RecordSet[Measurement]:
    return RecordSet("a", one(record).found, (), (), Path())


def test_a_record_has_its_sentence_and_figures_open_and_the_rest_folded() -> None:
    text = measured(300.0)._repr_html_()
    shown = Shown(text)
    assert ["J per page, gpu", "303.6 ± 3.1", "±1.0 %", "243.6 ± 3.1", "measured"] in shown.rows
    assert "303.6 J (±1.0 %) a page" in shown.text
    assert (
        text.index("J per page, gpu") < text.index("<details>") < text.index("python -m bench run bloom-560m")
    )
    assert "<summary>Conditions</summary>" in text


def test_a_comparison_has_its_verdict_and_table() -> None:
    found = Shown(compare(some(measured(300.0)), some(measured(450.0)))._repr_html_())
    assert "1 worse." in found.text
    row = next(row for row in found.rows if row[0] == "J/page")
    assert (row[3], row[-1]) == ("1.500", "worse")


def test_records_and_a_ranking_of_machines_are_tables() -> None:
    assert any("303.6 ± 3.1" in row for row in Shown(one(measured(300.0))._repr_html_()).rows)
    ranked = across([one(measured(300.0)), one(measured(200.0, "Card B"))])
    assert any("Card B" in row for row in Shown(ranked._repr_html_()).rows)


@pytest.mark.parametrize("record", hostile(), ids=range(len(HOSTILE)))
def test_a_name_never_becomes_markup(record: Record) -> None:
    assert Shown(record._repr_html_()).tags <= ALLOWED
    assert Shown(compare(some(record), some(measured(1.0)))._repr_html_()).tags <= ALLOWED


def test_a_window_is_a_table_once_it_has_ended() -> None:
    window = bench.measure(units=2, unit="image", gpus=(), idle_seconds=0)
    assert "has not ended" in window._repr_html_()


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(TypeError, match="int has no table for notebooks"):
        notebook.html(1)


def test_what_a_notebook_completes_is_the_public_api_alone() -> None:
    assert dir(bench) == sorted(bench.__all__)
    assert list(inspect.signature(bench.measure).parameters) == [
        "units",
        *inspect.signature(bench.Meter).parameters,
    ]


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_object_has_its_unit_and_an_example_in_its_help(name: str) -> None:
    text = inspect.getdoc(getattr(bench, name)) or ""
    first, _, rest = text.partition("\n")
    assert first.endswith(".")
    assert "joules" in text.lower()
    assert "\n    " in rest, "an example, indented"


def test_importing_the_package_imports_nothing_else() -> None:
    heavy = "('pydantic', 'numpy', 'click', 'bench.core', 'bench.view')"
    program = f"import bench, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
