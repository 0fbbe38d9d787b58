"""`bench query` as it is typed: answers, forms, and what is refused."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from bench.core.repetition import StopInfo
from tests.cli.conftest import Typed
from tests.support.factory import block, case, record
from tests.support.sample import save


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two models, one of them twice; a name with quotes; numbers longer than a column holds."""
    folder = tmp_path / "results" / 'it\'s "here"'
    for number, joules in enumerate((200.0, 300.0, 400.0)):
        odd = {} if number else {"batch": 2**63, "model": "it's\x00odd"}
        blocks = [block(500.0, warmup=True), block(joules - 1), block(joules + 1)]
        save(folder / f"{number}.json", record(blocks=blocks, case=case(seed=number) | odd))
    return tmp_path / "results"


def test_records_and_blocks_answer(typed: Typed, results: Path) -> None:
    done = typed("query", "SELECT model, avg(energy_per_unit_j) AS j FROM records GROUP BY model ORDER BY j")
    assert done.out.splitlines() == ["model           j", "it's�odd    200.0", "bloom-560m  350.0"]
    blocks = typed("query", "SELECT count(*), count(energy_per_unit_j), max(power_w) FROM blocks", "--csv")
    assert blocks.out.splitlines()[1:] == [f"9,6,{401 / 30}"]
    assert (done.status, done.err, blocks.status) == (0, "", 0)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """One record that an average may hold, and one each of those that it may not."""
    folder = tmp_path / "mixed" / "m"
    random_weights = dict(case()["weights"], kind="random")
    quick = StopInfo(by="target", target=0.05, max_seconds=9.0, achieved=0.03, quick=True)
    made: dict[str, dict[str, Any]] = {
        "good": {},
        "failed": {"status": "failed", "failure": {"stage": "measure", "message": "lost"}},
        "invalid": {"status": "invalid", "reasons": ["throttled"]},
        "quick": {"ended": quick},
        "random": {"case": case(weights=random_weights)},
        "toy": {"case": case(model="mine", toy=True)},
    }
    for number, (name, more) in enumerate(made.items()):
        blocks = [block(100.0 * 10**number) for _ in range(5)]
        save(folder / f"{name}.json", record(blocks=blocks, label=name, **more))
    return tmp_path / "mixed"


def test_the_default_table_averages_nothing_that_must_not_be_mixed(typed: Typed, mixed: Path) -> None:
    sql = "SELECT label, scope, kind, avg(energy_per_unit_j) AS j FROM {} GROUP BY ALL ORDER BY label"
    done = typed("query", sql.format("records"), "--json", "--results", mixed)
    assert json.loads(done.out) == [{"label": "good", "scope": "gpu", "kind": "measured", "j": 100.0}]
    every = json.loads(typed("query", sql.format("every_record"), "--json", "--results", mixed).out)
    assert {row["label"]: row["j"] for row in every} == {
        "good": 100.0,
        "failed": None,
        "invalid": None,
        "quick": 1e5,
        "random": 1e6,
        "toy": 1e7,
    }
    count = "SELECT (SELECT count(*) FROM blocks), (SELECT count(*) FROM every_block)"
    assert typed("query", count, "--csv", "--results", mixed).out.splitlines()[1] == "5,30"


def test_the_example_of_the_help_gives_one_row_a_case(typed: Typed, mixed: Path) -> None:
    said = " ".join(typed("query", "--help").out.split())
    example = re.search(r'For example: "(.+?)"', said)
    assert example is not None
    done = typed("query", example[1], "--csv", "--results", mixed)
    assert done.out.splitlines()[1:] == ["good,NVIDIA Sample 1a2b3c4d,gpu,measured,100.0"]


def test_files_are_named_as_a_person_would(typed: Typed, results: Path) -> None:
    done = typed("query", "SELECT file, batch FROM records ORDER BY file LIMIT 1", "--json")
    assert json.loads(done.out) == [{"file": 'results/it\'s "here"/0.json', "batch": None}]
    absolute = typed("query", "SELECT min(file) FROM records", "--csv", "--results", results)
    assert str(results) in absolute.out


def test_nothing_but_finite_numbers_and_null_comes_out(typed: Typed, results: Path) -> None:
    sql = "SELECT 'nan'::DOUBLE AS a, 'inf'::DOUBLE AS b, NULL AS c, DATE '2026-01-31' AS d, [1] AS e"
    assert json.loads(typed("query", sql, "--json").out) == [
        {"a": None, "b": None, "c": None, "d": "2026-01-31", "e": [1]}
    ]


def test_without_sql_the_columns_are_listed(typed: Typed) -> None:
    out = typed("query").out
    assert re.search(r"^records +energy_per_unit_j", out, re.MULTILINE)
    assert re.search(r"^every_block +time_per_unit_s", out, re.MULTILINE)


REFUSED = [
    "DROP TABLE files",
    "SELECT 1; SELECT 2",
    "",
    "COPY records TO 'stolen.csv'",
    "ATTACH 'stolen.duckdb'",
    "SET enable_external_access = true",
    "INSTALL httpfs",
    "SELECT * FROM read_csv('secret.txt')",
    "SELECT * FROM read_text('secret.txt')",
    "SELECT * FROM 'secret.csv'",
    "SELEC 1",
    "SELECT nothing FROM records",
    "SELECT * FROM glob('*')",
    "SELECT * FROM sqlite_scan('secret.txt', 'a')",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_one_sentence_for_what_cannot_be_asked(sql: str, typed: Typed, results: Path) -> None:
    for name in ("secret.txt", "secret.csv"):
        (results.parent / name).write_text("secret\n")
    done = typed("query", sql)
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1
    assert not list(results.parent.glob("stolen*"))


def test_a_folder_that_is_not_there_and_one_that_is_empty(typed: Typed, tmp_path: Path) -> None:
    assert typed("query", "SELECT 1").err.startswith("Error: results: this folder does not exist.")
    (tmp_path / "results").mkdir()
    done = typed("query", "SELECT count(*) FROM records", "--csv")
    assert (done.status, done.out.splitlines()[1]) == (0, "0")


def test_json_holds_every_value_or_says_why_not(typed: Typed, results: Path) -> None:
    done = typed("query", "SELECT ['nan'::double, 1] AS a, map([1], ['inf'::double]) AS b", "--json")
    assert json.loads(done.out) == [{"a": [None, 1], "b": {"1": None}}]
    twice = typed("query", "SELECT 1 AS a, 2 AS a", "--json")
    assert (twice.status, twice.out) == (2, "")
    assert twice.err == "Error: More than one column is called a. Tell them apart with AS.\n"


def test_many_rows_are_cut_for_a_person_only(typed: Typed, results: Path) -> None:
    done = typed("query", "SELECT * FROM range(1000)")
    assert len(done.out.splitlines()) == 201
    assert "These are the first 200 rows" in done.err
    assert typed("query", "SELECT * FROM range(200)").err == ""
    assert len(typed("query", "SELECT * FROM range(1000)", "--csv").out.splitlines()) == 1001


def test_an_answer_without_end_is_neither_held_nor_waited_for(typed: Typed, results: Path) -> None:
    endless = "SELECT a.range FROM range(100000) a, range(100000) b"
    assert len(typed("query", endless).out.splitlines()) == 201
    soon = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    soon.start()
    done = typed("query", f"SELECT count(*) FROM ({endless} WHERE (a.range + 1) * b.range % 7 = -3)")
    assert (done.status, done.out) == (130, "")


def test_the_example_of_the_documentation_runs(typed: Typed, results: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "many-records.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    snippet = snippet.replace("subprocess.run(command, check=True)", "")
    assert typed("export", "csv", "results", "-o", "records.csv").status == 0
    exec(snippet, {})
    for sql in re.findall(r'python -m bench query "([^"]*)"', text):
        assert typed("query", sql).status == 0
