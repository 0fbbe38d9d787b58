"""With an index and without: the same documents, and nothing stale."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from bench.compare.index import files, store
from bench.compare.index.connection import Connection
from bench.compare.record_selection import load
from bench.core.record import Record
from tests.cli.conftest import Typed, plain_surroundings, typed
from tests.support.factory import case, record
from tests.support.sample import pair, run, save

__all__ = ["plain_surroundings", "typed"]

Sides = tuple[Path, Path]


def machine(name: str) -> dict[str, str]:
    """A machine of its own identity."""
    return {"name": name, "id": name, "device": "cuda"}


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    """Two sides with all that a listing may hold: repeats, ties, twins, copies, failures, broken files."""
    chance = random.Random(5)
    a, b = tmp_path / "results" / "a", tmp_path / "results" / "b"
    for folder in (a, b):
        for number in range(4):
            for night in range(3):
                made = run(
                    300 + number,
                    chance,
                    blocks=3,
                    case=case(seed=number),
                    machine=machine(f"m{number % 2}"),
                    created=f"2026-01-0{night + 1}T00:00:00Z",
                    run_id=f"2026010{night + 1}t000000-{'abc'[night]}{number:05}",
                )
                save(folder / f"m{number % 2}" / f"{number}-{night}.json", made)
        tie = run(330, chance, blocks=3, case=case(seed=0), machine=machine("m0"), created=made.created)
        save(folder / "m0" / "0-10.json", tie)
        save(folder / "failed.json", record(status="failed", blocks=[], reasons=["no licence"]))
        (folder / "broken 'x'.json").write_text('{"schema": "joulebench/record/1", "status": NaN}')
        (folder / "copy.json").write_text((folder / "m0" / "0-0.json").read_text())
    for one in pair(300, 301, chance, machine=machine("m0"), created="2026-02-01T00:00:00Z"):
        save(tmp_path / "results" / "m0" / f"{one.pair.side if one.pair else ''}.json", one)
    return a, b


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder has an index, however few its records, and files are trusted at once."""
    monkeypatch.setattr("bench.compare.record_selection.KEPT_FROM", 1)
    monkeypatch.setattr(store, "KEPT_FROM", 1)
    monkeypatch.setattr(files, "YOUNG_NS", 0)


def test_with_and_without_an_index_everything_comes_out_the_same(
    typed: Typed, sides: Sides, request: pytest.FixtureRequest
) -> None:
    lines = [("compare", *sides, "--json"), ("compare", "--across-hardware", *sides, "--json")]
    plain = [typed(*line) for line in lines]
    request.getfixturevalue("indexed")
    first, second = ([typed(*line) for line in lines] for _ in range(2))
    assert (sides[0] / ".index" / "records.duckdb").is_file()
    assert plain == first == second
    assert plain[0].err.count("broken 'x'.json: ") == 2
    assert "the same record as" in plain[0].out


def test_what_changed_is_read_anew_and_what_is_gone_is_gone(
    typed: Typed, sides: Sides, indexed: None
) -> None:
    count = ("query", "SELECT count(*), max(label) FROM every_record", "--csv", "--results", sides[0])
    assert typed(*count).out.splitlines()[1] == "14,bloom-560m bfloat16 batch 1"
    file = sides[0] / "m0" / "0-2.json"
    before, text = file.stat(), file.read_text()
    file.write_text(text.replace('"label": "bloom-', '"label": "zloom-'))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    (sides[0] / "failed.json").unlink()
    assert typed(*count).out.splitlines()[1] == "13,zloom-560m bfloat16 batch 1"


@pytest.mark.parametrize("spoiled", [b"", b"no database", None])
def test_a_broken_or_removed_index_is_made_anew(
    spoiled: bytes | None, typed: Typed, sides: Sides, indexed: None
) -> None:
    line = ("compare", *sides)
    before = typed(*line)
    file = sides[0] / ".index" / "records.duckdb"
    file.unlink() if spoiled is None else file.write_bytes(spoiled)
    assert typed(*line) == before
    assert file.stat().st_size > 1000
    assert {path.name for path in file.parent.iterdir()} == {".gitignore", "records.duckdb"}


def test_a_folder_that_cannot_be_written_is_told_of_and_read_all_the_same(
    typed: Typed, sides: Sides, indexed: None
) -> None:
    (sides[0] / ".index").write_text("a file where a folder should be")
    done = typed("query", "SELECT count(*) FROM every_record", "--csv", "--results", sides[0])
    assert done.out.splitlines()[1] == "14"
    assert "the index cannot be kept" in done.err


def test_a_link_in_place_of_the_index_is_not_followed(typed: Typed, sides: Sides, indexed: None) -> None:
    elsewhere = sides[0].parent / "elsewhere"
    elsewhere.mkdir()
    (sides[0] / ".index").symlink_to(elsewhere)
    assert "the index cannot be kept (it is a link)" in typed("query", "SELECT 1", "--results", sides[0]).err
    assert not list(elsewhere.iterdir())


def test_ctrl_c_inside_duckdb_is_ctrl_c(
    typed: Typed, sides: Sides, indexed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One piece of a join that takes minutes is ended, and the end does not wait for it."""
    told_s: list[float] = []

    def interrupt() -> None:
        told_s.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    def keep(connection: Connection, *_: object) -> None:
        threading.Timer(0.3, interrupt).start()
        connection.execute("SELECT sum(a.range) FROM range(1000000) a, range(100000) b")

    monkeypatch.setattr(store, "keep", keep)
    assert typed("query", "SELECT 1", "--results", sides[0]).status == 130
    assert time.monotonic() - told_s[0] < 20


def test_a_young_file_is_not_trusted(typed: Typed, sides: Sides, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "KEPT_FROM", 1)
    count = ("query", "SELECT count(*) FROM every_record", "--results", sides[0])
    typed(*count)
    (sides[0] / "m0" / "0-2.json").write_text("{}")
    assert "0-2.json: not a record" in typed(*count).err


def test_a_folder_below_uses_the_index_above(typed: Typed, sides: Sides, indexed: None) -> None:
    typed("query", "SELECT 1", "--results", sides[0])
    done = typed(
        "query", "SELECT min(file), count(*) FROM every_record", "--csv", "--results", sides[0] / "m1"
    )
    assert done.out.splitlines()[1] == f"{sides[0] / 'm1' / '1-0.json'},6"
    assert not (sides[0] / "m1" / ".index").exists()


def test_a_run_is_named_by_its_id_or_the_beginning_of_it(typed: Typed, tmp_path: Path) -> None:
    for number, joules in enumerate((300, 330)):
        made: Record = run(joules, random.Random(1), run_id=f"2026010{number + 1}t000000-abc00{number}")
        save(tmp_path / "results" / f"{number}.json", made)
    done = typed("compare", "20260101t000000-abc000", "new=20260102")
    assert done.out.startswith("1 worse.\nA: 20260101t000000-abc000\nB: new\n")
    assert done.status == 1
    several, none = typed("compare", "2026", "20260102"), typed("compare", "20250101", "20260102")
    assert several.err == (
        "Error: 2026: 2 runs begin so. The newest: 20260102t000000-abc001, 20260101t000000-abc000.\n"
    )
    assert none.err.startswith("Error: 20250101: no file or folder, and no run in results. The newest: 2026")
    assert (several.status, none.status) == (2, 2)


def test_many_notes_become_one_sentence(typed: Typed, sides: Sides) -> None:
    out = " ".join(typed("compare", *sides).out.split())
    assert f"{sides[0]}: 9 older records are left out; the newest of each case and card counts." in out


@pytest.mark.parametrize("with_index", [False, True])
def test_a_run_that_was_gone_on_with_is_the_latest_and_has_each_case_once(
    with_index: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if with_index:
        request.getfixturevalue("indexed")
    first, second = "20260101t000000-aaaaaa", "20260102t000000-bbbbbb"
    interrupted = record(case=case(seed=0), run_id=first, status="failed", blocks=[])
    save(tmp_path / "interrupted.json", interrupted)
    for name, run_id, created, seed in (
        ("another run", second, "2027-01-02T00:00:00Z", 0),
        ("whole", first, "2027-01-03T00:00:00Z", 0),
        ("next", first, "2027-01-03T01:00:00Z", 1),
    ):
        save(tmp_path / f"{name}.json", record(case=case(seed=seed), run_id=run_id, created=created))
    for text in ("latest", first, "20260101"):
        found = load(text, tmp_path, lambda _: None)
        assert found.label == first
        assert sorted(Path(each.where).stem for each in found.found) == ["next", "whole"]
