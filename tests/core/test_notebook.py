"""Results as a notebook shows them, and the names that it completes."""

from __future__ import annotations

import inspect
from html.parser import HTMLParser

import bench
from tests.support.reported import measured


class Cells(HTMLParser):
    """Text of the cells of a table, row by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, str] = {}
        self._texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("th", "td"):
            self._texts.append("")

    def handle_data(self, data: str) -> None:
        if self._texts:
            self._texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            what, value = self._texts
            self.rows[what] = value
            self._texts = []


def test_a_result_is_a_table_in_a_notebook() -> None:
    rows = Cells(measured(300.0)._repr_html_()).rows
    assert rows["J per page, gpu"] == "303.6 ± 3.1"
    assert rows["verdict"] == "ok"


def test_a_name_never_becomes_markup() -> None:
    text = measured(300.0, label="<img src=x>", status="invalid", reasons=["<b>no</b>"])._repr_html_()
    assert "<img" not in text
    assert "<b>" not in text
    assert "&lt;img src=x&gt;" in text


def test_what_a_notebook_completes_is_the_public_api_alone() -> None:
    assert dir(bench) == sorted(bench.__all__)
    assert list(inspect.signature(bench.measure).parameters) == [
        "units",
        *inspect.signature(bench.Meter).parameters,
    ]
    assert all(getattr(bench, name).__doc__ for name in bench.__all__ if name != "__version__")
