"""One grammar of names in every verb: file, folder, run id, `latest`, revision, standard input."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest

from bench.analysis.record_names import parse
from bench.errors import UsageError
from tests.analysis.sample import run, save
from tests.cli.conftest import Typed, plain_surroundings, typed

__all__ = ["plain_surroundings", "typed"]

OLD, NEW = "20260101t000000-abc000", "20260102t000000-abc001"
VERBS = [("show", "--json"), ("show",), ("footprint",), ("export", "jsonl"), ("validate",), ("limits",)]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two runs of one case below `results`, where the command runs."""
    for number, (joules, run_id) in enumerate(((300, OLD), (330, NEW))):
        save(tmp_path / "results" / f"{number}.json", run(joules, random.Random(1), run_id=run_id))
    return tmp_path / "results"


class _Stdin:
    def __init__(self, text: str) -> None:
        self.buffer = io.BytesIO(text.encode())


@pytest.mark.parametrize("verb", VERBS, ids="-".join)
def test_each_name_of_a_record_means_the_same_in_each_verb(
    typed: Typed, results: Path, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = results.relative_to(Path.cwd()) / "1.json"
    by_file = typed(*verb, file)
    assert by_file.status in (0, 2), by_file.err
    for name in (NEW, NEW[:8], "latest"):
        assert typed(*verb, name) == by_file, name
    monkeypatch.setattr("sys.stdin", _Stdin(file.read_text()))
    piped = typed(*verb, "-")
    assert (piped.status, len(piped.out.splitlines())) == (by_file.status, len(by_file.out.splitlines()))
    assert typed(*verb, OLD).status == by_file.status
    nowhere = typed(*verb, "nowhere")
    assert (nowhere.status, nowhere.out) == (2, "")
    assert "nowhere: no such file or folder" in nowhere.err


def test_compare_and_report_take_latest_and_standard_input(
    typed: Typed, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = typed("compare", OLD, "latest")
    assert f"A: {OLD}\nB: {NEW}\n" in done.out
    assert done.status == 1
    monkeypatch.setattr("sys.stdin", _Stdin((results / "1.json").read_text()))
    piped = typed("compare", OLD, "new=-")
    assert piped.out.startswith(f"A: {OLD}\nB: new\n")
    assert piped.out.splitlines()[2:] == [*done.out.splitlines()[2:]]
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
    assert f"Side A ({tmp_path / 'empty'}) holds no record" in done.out
    assert "Side B" not in done.out
    assert done.status == 2
    assert json.loads(typed("compare", tmp_path / "empty", results, "--json").out)["notes"]


def test_a_git_lfs_pointer_in_place_of_a_record_is_named(typed: Typed, tmp_path: Path) -> None:
    pointer = tmp_path / "a.json"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 32000\n")
    done = typed("validate", pointer)
    assert done.status == 2
    assert "a Git LFS pointer, not the record. git lfs pull" in done.err
