"""`--format`, `--json`, `--csv` and `-o` mean the same in every verb that shows something."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from bench.cli.verbs import VERBS
from bench.view import markdown
from bench.view.content import Fold, Section, TableRow, columns, table
from tests.cli.commands import command
from tests.cli.conftest import Typed
from tests.support.reported import measured
from tests.support.sample import save

OWN = {"ab", "footprint drafts", "footprint ratings", "report", "watch"}
"""Verbs whose -o is another: a document beside the table, the page, and a line a look."""
OPTIONS = {
    verb: {name: each for each in command(verb).params for name in each.opts if name.startswith("-")}
    for verb in VERBS
}


@pytest.mark.parametrize("verb", [verb for verb in VERBS if "--format" in OPTIONS[verb] and verb not in OWN])
def test_a_verb_that_shows_has_all_of_the_options(verb: str) -> None:
    output, form = OPTIONS[verb]["-o"], OPTIONS[verb]["--format"]
    assert isinstance(output, click.Option)
    assert output.help == "Write it there. [default: stdout, as is -]"
    assert isinstance(form.type, click.Choice)
    assert {"text", "md"} <= set(form.type.choices)
    assert ("--json" in OPTIONS[verb]) == ("json" in form.type.choices)


def test_format_is_the_form_of_an_answer_in_every_verb() -> None:
    forms = {verb: options["--format"].type for verb, options in OPTIONS.items() if "--format" in options}
    assert all(
        isinstance(each, click.Choice) and set(each.choices) <= {"text", "md", "html", "json", "csv"}
        for each in forms.values()
    )
    assert {"ab", "footprint drafts", "footprint ratings"} <= {
        verb for verb, form in forms.items() if "md" in getattr(form, "choices", ())
    }


@pytest.mark.parametrize(
    "line",
    [
        ("compare", "results/a.json", "results/a.json"),
        ("compare", "--across-hardware", "results"),
        ("show", "results/a.json"),
        ("show", "--budget", "results/a.json"),
        ("query", "SELECT label FROM every_record"),
        ("list", "--systems"),
        ("footprint", "people"),
        ("footprint", "scenario", "critics", "--draws", "1000", "--all"),
        ("footprint", "published", "--modality", "image"),
    ],
)
def test_markdown_has_the_tables_of_the_text(typed: Typed, stored: Path, line: tuple[str, ...]) -> None:
    as_text, as_markdown = typed(*line), typed(*line, "--format", "md")
    assert as_markdown.status == as_text.status
    rows = [each for each in as_markdown.out.splitlines() if each.startswith("|")]
    assert any(set(each) <= set("|-:") for each in rows), "a table"
    for row in rows:
        for cell in row.strip("| ").replace("**", "").replace("\\", "").split(" | "):
            seen = [word for word in cell.split() if word.replace(",", "").replace(".", "").isdigit()]
            assert all(word in as_text.out for word in seen), row


def test_a_command_of_a_row_can_be_copied_from_markdown() -> None:
    row = TableRow(("torch", "is missing"), command="scripts/setup cuda | cat")
    lines = markdown.text([table(columns("what", "seen"), [row])]).splitlines()
    assert lines == ["| what | seen |", "|---|---|", r"| torch | is missing `scripts/setup cuda \| cat` |"]


def test_parts_of_markdown_are_apart_from_each_other() -> None:
    shown = markdown.text(["One.", Section("", ("Two.",), ("Three.",)), Fold("pass: it is.", ())])
    assert shown == "One.\n\nTwo.\n\n- Three.\n\n**pass: it is.**\n"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return save(tmp_path / "results" / "a.json", measured(300.0))


def test_the_short_form_is_the_long_one(typed: Typed, stored: Path) -> None:
    short, long = typed("show", stored, "--json"), typed("show", stored, "--format", "json")
    assert short == long
    assert json.loads(short.out)["label"] == "bloom-560m bfloat16 batch 1"


def test_a_dash_is_stdout_and_a_file_has_the_same(typed: Typed, stored: Path, tmp_path: Path) -> None:
    for form in ("text", "json"):
        plain = typed("compare", stored, stored, "--format", form)
        dash = typed("compare", stored, stored, "--format", form, "-o", "-")
        file = tmp_path / form
        written = typed("compare", stored, stored, "--format", form, "-o", file)
        assert (dash.out, written.out) == (plain.out, "")
        assert file.read_text(encoding="utf-8") == plain.out
        assert written.err.splitlines()[-1] == str(file)
        assert written.status == plain.status


def test_nothing_is_written_after_an_error(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_text("kept", encoding="utf-8")
    assert typed("show", "missing.json", "-o", file).status == 2
    assert file.read_text(encoding="utf-8") == "kept"
    assert [each.name for each in tmp_path.iterdir()] == ["old"]


def test_a_file_that_cannot_be_written_is_one_sentence(typed: Typed, stored: Path, tmp_path: Path) -> None:
    done = typed("show", stored, "-o", tmp_path / "no" / "where")
    assert done.status == 2
    assert "cannot be written: No such file or directory." in done.err


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("--csv", "--json"), "--csv and --json are two forms of one answer."),
        (("--format", "csv", "--json"), "--csv and --json are two forms of one answer."),
        (("--format", "text", "--json"), "--json and --format text are two forms of one answer."),
    ],
)
def test_two_forms_at_once_are_refused(typed: Typed, asked: tuple[str, ...], sentence: str) -> None:
    done = typed("query", *asked)
    assert (done.status, done.out) == (2, "")
    assert sentence in done.err
