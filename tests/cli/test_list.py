"""`list`: what can be measured, what fits, and why the rest does not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.catalog.loading import find, load
from tests.catalog.sample import SAMPLE, changed, write
from tests.cli.conftest import Typed

SHIPPED = find(Path(__file__).parents[2] / "models.yaml")


def test_every_model_and_suite_is_listed(typed: Typed) -> None:
    done = typed("list", "--models", SHIPPED)
    assert (done.status, done.err) == (0, "")
    catalogue = load(SHIPPED)
    first_words = {line.split()[0] for line in done.out.splitlines() if line.strip()}
    assert set(catalogue.models) <= first_words
    assert set(catalogue.suites) <= first_words
    assert "python -m bench run" in done.out


def test_a_suite_is_listed_with_how_many_cases_and_what_it_is(typed: Typed, tmp_path: Path) -> None:
    out = typed("list", "--models", write(tmp_path)).out
    [line] = [line for line in out.splitlines() if line.startswith("short ")]
    assert line.split(maxsplit=2) == ["short", "3", "Two pages and an image."]


def test_why_a_model_does_not_fit_is_said(typed: Typed, tmp_path: Path) -> None:
    """A million gigabytes fit nowhere."""
    path = write(tmp_path, changed("memory_gb: 16.4", "memory_gb: 1000000"))
    done = typed("list", "--models", path)
    assert done.status == 0
    text = " ".join(done.out.split())
    assert "needs about 1150001 GB in bfloat16" in text
    rows = {row["model"]: row for row in json.loads(typed("list", "--models", path, "--json").out)["models"]}
    assert (rows["hub-writer"]["fits"], rows["painter"]["fits"]) == (False, True)
    assert rows["hub-writer"]["why_not"].startswith("needs about 1150001 GB")
    assert rows["painter"]["why_not"] is None


def test_json_holds_what_the_table_shows(typed: Typed) -> None:
    done = typed("list", "--models", SHIPPED, "--json")
    assert (done.status, done.err) == (0, "")
    listed = json.loads(done.out)
    catalogue = load(SHIPPED)
    assert [row["model"] for row in listed["models"]] == list(catalogue.models)
    assert list(listed["suites"]) == list(catalogue.suites)
    rows = {row["model"]: row for row in listed["models"]}
    assert rows["bloom-176b"]["weights"] == ["hub", "random"]
    assert rows["tiny-bloom"]["weights"] == ["random"]
    assert rows["llama-3.1-8b-instruct"]["gated"] is True
    assert listed["machine"]


def test_systems_are_listed_with_what_answers_for_them(typed: Typed, on_terminal: Typed) -> None:
    """27 in either form; on a narrow terminal no line is cut and none is too long."""
    done = typed("list", "--systems", "--models", SHIPPED, "--json")
    assert (done.status, done.err) == (0, "")
    rows = json.loads(done.out)["systems"]
    assert len(rows) == 27
    bloom = next(row for row in rows if row["id"] == "bloom")
    assert (bloom["represented"], bloom["units"]) == ("can be run", ["page"])
    assert "bloom-176b" in bloom["models"]
    narrow = on_terminal("list", "--systems", "--models", SHIPPED, columns=80)
    shown = re.sub("\x1b\\[[0-9]*m", "", narrow.out)
    assert max(map(len, shown.splitlines())) <= 80
    starts = {line.split()[0] for line in shown.splitlines() if line.strip()}
    assert {row["system"].split()[0] for row in rows} <= starts
    text = " ".join(shown.split())
    assert "by model: voice-chain" in text
    assert "7 can be run, 18 have an open stand-in that can, 0 have only a published figure" in text


def test_the_catalogue_of_the_current_folder_is_listed(typed: Typed, tmp_path: Path) -> None:
    write(tmp_path)
    assert "hub-writer" in typed("list").out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (changed("dtype: bfloat16\n    batch: 1", "dtype: bf16\n    batch: 1"), 'Did you mean "bfloat16"?'),
        (changed("{model: painter}", "{model: painter"), "not valid YAML"),
        ("", "the file is empty"),
        ("[" * 10_000, "nested more than 50 deep"),
    ],
    ids=["misspelt", "unclosed", "empty", "deep"],
)
def test_a_broken_catalogue_is_one_sentence_and_status_2(
    text: str, says: str, typed: Typed, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    done = typed("list", "--models", path)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"Error: {path}:")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_catalogue_that_is_not_there_is_status_2(name: str, typed: Typed, tmp_path: Path) -> None:
    done = typed("list", "--models", tmp_path / name)
    assert (done.status, done.out) == (2, "")
    assert str(tmp_path) in done.err


@pytest.mark.parametrize("hostile", ["[red]loud[/red]", "[/]", "[/usr/lib/x.so]", "[link=http://x]y[/link]"])
def test_text_of_a_catalogue_is_shown_as_it_is(hostile: str, typed: Typed, tmp_path: Path) -> None:
    text = changed("doc: Random weights.", f'doc: "{hostile}"', changed("openrail++", f'"{hostile}"'))
    done = typed("list", "--models", write(tmp_path, text))
    assert done.status == 0
    assert done.out.count(hostile) == 2


def test_text_of_a_catalogue_cannot_steer_the_terminal(on_terminal: Typed, tmp_path: Path) -> None:
    calm = on_terminal("list", "--models", write(tmp_path))
    loud = changed("doc: Random weights.", 'doc: "\\e[31m\\e]0;title\\a\\u202eRandom weights."')
    done = on_terminal("list", "--models", write(tmp_path, loud))
    assert done.status == 0
    assert done.out.count("\x1b") == calm.out.count("\x1b") > 0
    assert not set("\a\u202e") & set(done.out)


def test_the_sample_catalogue_is_listed_as_a_whole(typed: Typed, tmp_path: Path) -> None:
    write(tmp_path, SAMPLE)
    listed = json.loads(typed("list", "--json").out)
    assert {row["model"]: row["weights"] for row in listed["models"]} == {
        "writer": ["hub", "random"],
        "hub-writer": ["hub"],
        "painter": ["random"],
    }


def test_a_model_without_a_size_is_listed_with_the_options_that_give_one(
    typed: Typed, tmp_path: Path
) -> None:
    path = write(tmp_path, changed("{width: 64, height: 64, steps: 4, guidance: 7.5}", "{steps: 4}"))
    done = typed("list", "--models", path, "--json")
    assert done.status == 0
    rows = {row["model"]: row for row in json.loads(done.out)["models"]}
    assert rows["painter"]["why_not"].startswith('"painter" has no size. Give --size, or set height, width')
    assert rows["writer"]["fits"]
