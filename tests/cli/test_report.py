"""`report` as it is typed: formats, files, mistakes."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.dependencies import install_command
from bench.store import results
from tests.cli.conftest import Typed
from tests.support.reported import measured
from tests.support.sample import save

needs_drawing = pytest.mark.skipif(
    not (find_spec("vl_convert") and find_spec("altair")), reason="the extra `report` is not installed"
)


@needs_drawing
def test_the_command_writes_either_format_and_says_where(typed: Typed, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "machine"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(results.to_json(measured(300.0)))
    done = typed("report")
    assert (done.status, done.out, done.err) == (0, "report.html\n", "")
    assert "One page takes" in (tmp_path / "report.html").read_text()
    done = typed(
        "report", "results", "--format", "md", "-o", "twin.md", "--grid", "100", "--baseline", "results"
    )
    assert (done.status, done.out, done.err) == (0, "twin.md\n", "")
    assert "100 g CO2e/kWh" in (tmp_path / "twin.md").read_text()


@needs_drawing
def test_without_records_the_page_has_what_is_known_without_measuring(typed: Typed, tmp_path: Path) -> None:
    done = typed("report")
    assert (done.status, done.out) == (0, "report.html\n")
    assert done.err == "results: no records yet: what is known without measuring.\n"
    page = (tmp_path / "report.html").read_text()
    for words in (
        "A page by a person with AI, beside a person alone: 2.2 times less CO2e",
        "known without measuring",
        "By a person alone:",
    ):
        assert words in page
    assert "Every case" not in page


@needs_drawing
def test_a_named_folder_without_records_is_still_a_mistake(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    done = typed("report", "mine")
    assert done.status == 2
    assert "this folder has no records" in done.err


def test_open_shows_the_file_that_was_written(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert typed("report", "--format", "md", "--open").status == 0
    assert opened == [(tmp_path / "report.md").as_uri()]
    assert typed("report", "--format", "md", "--open", "-o", "-").status == 2


@needs_drawing
def test_mistakes_are_one_sentence(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert typed("report", "nowhere").status == 2
    (tmp_path / "results").mkdir()
    assert "cannot be written" in typed("report", "-o", "no/such/folder/report.html").err
    assert typed("report", "--pue", "0.5").status == 2
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    done = typed("report")
    assert done.status == 2
    assert f"Use --format md, or install it with: {install_command('report')}" in done.err


@needs_drawing
@pytest.mark.parametrize("kind", ["html", "md", "json"])
def test_a_secret_of_a_record_from_elsewhere_is_in_no_report(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    save(tmp_path / "results" / "a.json", measured(300.0, label='my_secret "word"'))
    monkeypatch.setenv("DEPLOY_SECRET", 'my_secret "word"')
    assert typed("report", "--format", kind).status == 0
    text = (tmp_path / f"report.{kind}").read_text()
    assert "***" in text
    assert not re.search(r"my\\?_secret", text)
