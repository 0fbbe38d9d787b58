"""One grammar of names in every verb: file, folder, run id, `latest`, revision, standard input."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
from pathlib import Path

import click
import pytest

from bench.catalog.loading import find
from bench.cli.verbs import VERBS
from bench.compare.record_names import parse
from bench.errors import UsageError
from bench.footprint.scenarios.files import bundled
from bench.view.content import Chart, Table
from bench.view.report import figures
from tests.cli.commands import command
from tests.cli.conftest import Done, Typed, on_terminal, plain_surroundings, typed, words
from tests.cli.footprint.imports import LINE, emissions
from tests.support.sample import run, save

__all__ = ["on_terminal", "plain_surroundings", "typed"]

OLD, NEW = "20260101t000000-abc000", "20260102t000000-abc001"
HERE = "RECORD"
TAKES_RECORDS = [
    ("show", HERE, "--json"),
    ("show", HERE),
    ("compare", HERE, "other"),
    ("compare", "--across-hardware", HERE),
    ("accept", "other", HERE, "--reason", "x", "--accepted", "-"),
    ("export", "jsonl", HERE),
    ("report", HERE, "--format", "md", "-o", "-"),
    ("report", "other", "--baseline", HERE, "--format", "md", "-o", "-"),
    ("charts", HERE, "-o", "drawn"),
    ("validate", HERE),
    ("roofline", "show", HERE),
    ("footprint", "record", HERE),
    ("footprint", "cost", HERE),
    ("footprint", "projection", HERE),
    ("footprint", "published", HERE, "--modality", "text"),
    ("footprint", "reproduce", "tomlinson2024", HERE),
    (
        "footprint",
        "scenario",
        "tomlinson2024",
        "--record",
        HERE,
        "--set",
        "model.host=1.5",
        "--draws",
        "1000",
    ),
]
"""Every verb and option that takes records, with `other` as a folder of another record."""
TAKES_NONE = {
    "init ci",
    "ab",
    "run",
    "list",
    "doctor",
    "watch",
    "calibrate",
    "fleet meter",
    "fleet slurm",
    "fleet ssh",
    "fleet status",
    "import-trace",
    "query",
    "roofline peaks",
    "footprint people",
    "footprint import",
    "footprint ratings",
}
"""Verbs that take no record; `query` asks all records below --results, where `run_id` is a column."""
TAKES_KEPT_OUTPUTS = {"footprint drafts", "footprint sheet"}
"""Verbs that take a record with its outputs, which these samples lack: tests/cli/footprint/test_drafts.py."""
FOLDERS_OF_OUTPUT = {"charts", "footprint sheet"}
WRITES_FILES = {
    "ab",
    "watch",
    "export",
    "report",
    "fleet slurm",
    "footprint drafts",
    "footprint import",
    "footprint ratings",
    "import-trace",
    "accept",
}
SHOWS = {verb for verb in VERBS if any("--format" in each.opts for each in command(verb).params)}
"""Verbs with an answer, whose `-o` is that of all of them: tests/cli/test_written_form.py."""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two runs of one case below `results`, where the command runs."""
    for number, (joules, run_id) in enumerate(((300, OLD), (330, NEW))):
        save(
            tmp_path / "results" / f"{number}.json", run(joules, random.Random(1), run_id=run_id, tokens=340)
        )
    return tmp_path / "results"


class _Stdin:
    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())


def undrawn(chart: Chart, table: Table) -> figures.ChartFile:
    """A figure without its drawing, which takes a second, eight times: names choose records alone."""
    return figures.ChartFile(chart.id, "", b"", repr(table), chart.footer)


def unnamed(done: Done, *names: object) -> tuple[int, str]:
    """Status and output without the names that were typed, which some verbs print as labels."""
    text = done.out
    for name in sorted(map(str, names), key=len, reverse=True):
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.-])", "NAME", text)
    return done.status, " ".join(text.split())


def test_the_table_holds_every_verb() -> None:
    takes = {verb for verb in VERBS for words in TAKES_RECORDS if " ".join(words).startswith(verb + " ")}
    assert takes | TAKES_NONE | TAKES_KEPT_OUTPUTS == set(VERBS)
    assert not takes & TAKES_NONE


@pytest.mark.parametrize("verb", TAKES_RECORDS, ids=" ".join)
def test_each_name_of_a_record_means_the_same_in_each_verb(
    typed: Typed, results: Path, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "charts" in verb:
        pytest.importorskip("altair", reason="the extra `report` is not installed")
        monkeypatch.setattr(figures, "_figure", undrawn)
    save(Path("other") / "a.json", run(300, random.Random(2), tokens=340))
    file = results.relative_to(Path.cwd()) / "1.json"
    Path("folder").mkdir()
    shutil.copy(file, "folder/1.json")

    def named(name: object) -> Done:
        return typed(*(str(name) if word == HERE else word for word in verb))

    names = (file, NEW, NEW[:8], "latest", "folder", "folder/1.json", "-", "standard input")
    by_file = unnamed(named(file), *names)
    assert by_file[0] in (0, 1), by_file
    for name in (NEW, NEW[:8], "latest", "folder"):
        assert unnamed(named(name), *names) == by_file, name
    monkeypatch.setattr("sys.stdin", _Stdin(file.read_text()))
    assert unnamed(named("-"), *names) == by_file
    nowhere = named("nowhere")
    assert (nowhere.status, nowhere.out) == (2, "")
    assert "nowhere: no such file or folder" in nowhere.err
    assert named(OLD[:8]).status in (0, 1, 2)


def outputs() -> dict[str, str]:
    """The verbs with an option for a file or folder that they write, and what it is called."""
    found = {}
    for verb in VERBS:
        for option in command(verb).params:
            if isinstance(option, click.Option) and {"-o", "--output"} & {*option.opts}:
                found[verb] = str(option.metavar)
    return found


def test_every_option_of_an_output_is_known_here() -> None:
    assert outputs() == {
        verb: "DIR" if verb in FOLDERS_OF_OUTPUT else "FILE"
        for verb in (WRITES_FILES | FOLDERS_OF_OUTPUT | SHOWS) - {"accept"}
    }


@pytest.mark.parametrize(
    ("verb", "begins"),
    [
        (("watch", "--once", "--interval", "0.3", "-o", "-"), "{"),
        (("watch", "--csv", "-o", "-", "--", "true"), "time,"),
        (("export", "csv", "latest", "-o", "-"), "record,"),
        (("report", "latest", "--format", "md", "-o", "-"), "# "),
        (
            ("footprint", "import", "figures.csv", "-o", "-", "--items", "10", "--unit", "page"),
            "# Reference rows",
        ),
        (("fleet", "slurm", "paper", "-o", "-"), "#!/bin/bash"),
        (("accept", OLD, NEW, "--reason", "x", "--accepted", "-"), "# Changes accepted"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_dash_as_output_is_stdout_and_never_a_file(
    typed: Typed, on_terminal: Typed, results: Path, verb: tuple[str, ...], begins: str
) -> None:
    Path("figures.csv").write_text(emissions(LINE))
    for run_it in (typed, on_terminal):
        done = run_it(*verb)
        assert done.status == 0, done.err
        assert done.out.startswith(begins), done.out
        assert not Path("-").exists()


REFERENCES = """schema: joulebench/references/1
sources: {s: {citation: a table}}
figures: []
"""
GRID = "{value: 44.2, unit: g CO2e/kWh, region: FRA, year: 2024, source: a table}"


@pytest.mark.parametrize(
    ("verb", "content"),
    [
        (("footprint", "published", "--modality", "image", "--references", "-"), REFERENCES),
        (("footprint", "record", "latest", "--grid", "-"), GRID),
        (("footprint", "scenario", "-", "--draws", "1000"), bundled()["critics"].read_text()),
        (("list", "--models", "-"), Path(find()).read_text()),
        (("compare", OLD, NEW, "--accepted", "-"), "[]"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_dash_as_input_is_standard_input(
    typed: Typed, results: Path, verb: tuple[str, ...], content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("typed.yaml").write_text(content)
    by_file = typed(*("typed.yaml" if word == "-" else word for word in verb))
    assert by_file.status in (0, 1), by_file.err
    monkeypatch.setattr("sys.stdin", _Stdin(content))
    piped = typed(*verb)
    assert (piped.status, piped.err) == (by_file.status, by_file.err)
    assert piped.out.split() == re.sub(r"\btyped(\.yaml)?", "-", by_file.out).split()


def test_of_several_records_behind_a_name_those_without_joules_are_left_out_and_said(
    typed: Typed, results: Path
) -> None:
    save(
        results / "2.json", run(300, random.Random(3), tokens=340, status="invalid", reasons=["throttled: x"])
    )
    for verb in (
        ("footprint", "cost"),
        ("footprint", "projection"),
    ):
        done = typed(*verb, "results")
        assert done.status == 0
        assert "left out: " in done.err
        assert "throttled: x" in done.err
    assert "2.json: invalid: throttled: x" in " ".join(typed("footprint", "published", "results").out.split())
    several = typed("footprint", "scenario", "critics", "--record", "results")
    assert several.status == 0
    assert "results: 3 records; taken is the newest of a page: " in several.err


def test_compare_and_report_take_latest_and_standard_input(
    typed: Typed, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = typed("compare", OLD, "latest")
    assert f"A: {OLD}\nB: {NEW}\n" in done.out
    assert done.status == 1
    monkeypatch.setattr("sys.stdin", _Stdin((results / "1.json").read_text()))
    piped = typed("compare", OLD, "new=-")
    assert piped.out.startswith(f"1 worse.\nA: {OLD}\nB: new\n")
    assert piped.out.splitlines()[3:] == [*done.out.splitlines()[3:]]
    report = typed("report", "latest", "--format", "md", "-o", "-")
    assert report.status == 0
    assert report.out.startswith("#")
    assert not Path("-").exists()
    assert typed("export", "jsonl", "latest", "-o", "-").out.count("\n") == 1


def test_several_documents_on_standard_input_are_several_records(
    typed: Typed, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = "".join((results / name).read_text() for name in ("0.json", "1.json"))
    monkeypatch.setattr("sys.stdin", _Stdin(both))
    assert typed("validate", "-").out.startswith("2 whole records, 0 not.")
    monkeypatch.setattr("sys.stdin", _Stdin(both + "{nonsense"))
    broken = typed("validate", "-")
    assert (broken.status, broken.out.splitlines()[0]) == (2, "2 whole records, 1 not.")
    assert "standard input (3): " in broken.err
    monkeypatch.setattr("sys.stdin", _Stdin(" \n"))
    assert "standard input is empty" in typed("show", "-").err


def test_a_file_of_that_very_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse("latest").kind == "run"
    Path("latest").mkdir()
    assert parse("latest").kind == "path"
    assert (parse("x=-@A").kind, parse("x=-@A").label, parse("x=-@A").side) == ("stdin", "x", "A")
    assert parse("main:results").inside == "results"
    with pytest.raises(UsageError, match="no such file or folder"):
        parse("nothing")


def test_two_machines_are_shown_the_option_and_an_empty_side_is_named(
    typed: Typed, results: Path, tmp_path: Path
) -> None:
    other = {"name": "m2", "id": "m2", "device": "cuda", "gpus": [{"uuid": "GPU-2", "name": "NVIDIA Other"}]}
    save(tmp_path / "other" / "a.json", run(300, random.Random(1), machine={**other, "metered": ["GPU-2"]}))
    assert "--across-hardware" in typed("compare", OLD, tmp_path / "other").out
    (tmp_path / "empty").mkdir()
    done = typed("compare", tmp_path / "empty", results)
    assert f"Side A ({tmp_path / 'empty'}) has no record" in words(done)
    assert "Side B" not in done.out
    assert done.status == 2
    assert json.loads(typed("compare", tmp_path / "empty", results, "--json").out)["notes"]


def test_a_git_lfs_pointer_in_place_of_a_record_is_named(typed: Typed, tmp_path: Path) -> None:
    pointer = tmp_path / "a.json"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 32000\n")
    done = typed("validate", pointer)
    assert done.status == 2
    assert "a Git LFS pointer, not the record. git lfs pull" in done.err
