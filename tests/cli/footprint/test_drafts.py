"""`footprint drafts`, `sheet` and `ratings` as typed: a table, a judge, people, and a scenario after them."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from bench.catalog.prompts import prompts
from bench.core.modalities.text import TextOptions
from tests.cli.conftest import Typed, words
from tests.support import factory
from tests.support.kept_outputs import LONG, stored

TEXTS = [f"{LONG * (1 + i % 2)} Number {'x' * i}." for i in range(10)]
"""Half of them are short, and all of them differ."""


def test_typed_with_a_table_a_file_and_a_scenario_in_place_of_assumed_drafts(
    typed: Typed, tmp_path: Path
) -> None:
    path, _ = stored(tmp_path, TEXTS)
    account = tmp_path / "drafts.json"
    table = words(typed("footprint", "drafts", path, "--accept", "length=25..", "-o", account))
    assert "accepted, % of 10 distinct drafts 50 19 to 81" in table
    assert "attempts per accepted item 2.0 1.2 to 5.3" in table
    assert "J per accepted page, gpu 600" in table
    assert "rejected by length=25..: 5 of 10" in table
    document = typed("footprint", "scenario", "critics", "--drafts", account, "--json").out
    assert "5 of 10 drafts of bloom-560m bfloat16 batch 1 accepted by length=25.." in document
    failed = typed("footprint", "scenario", "critics-image", "--drafts", account)
    assert "drafts of pages, and critics-image is about images" in failed.err


def test_a_judge_has_joules_of_its_own_and_a_draft_without_a_verdict_is_left_out(
    typed: Typed, tmp_path: Path
) -> None:
    path, _ = stored(tmp_path, TEXTS)
    asked = tmp_path / "judge.yaml"
    said = typed("footprint", "drafts", path, "--judge-prompts", asked).out
    assert "10 prompts" in said
    assert yaml.safe_load(asked.read_text())["prompts"][3]["text"].endswith(TEXTS[3])
    verdicts = ["ACCEPT, good."] * 4 + ["**Reject** it."] * 5 + ["Hm."]
    sha = prompts("text", TextOptions(new_tokens=1, prompts=str(asked))).sha256
    case = factory.case(model="judge", prompts={"name": "judge", "version": 1, "sha256": sha})
    judge, _ = stored(tmp_path, verdicts, "judge", case=case, label="judge")
    options = ["--judge", judge, "--judge-prompts", asked]
    document = json.loads(typed("footprint", "drafts", path, *options, "--json").out)
    assert (document["tried"], document["accepted"]) == (9, 4)
    assert document["judge_j_per_draft"]["value"] == pytest.approx(300.0)
    assert document["j_per_accepted_item"]["value"] == pytest.approx(600.0 * 9 / 4)
    assert document["notes"] == ["1 of 10 distinct drafts have no verdict."]
    other = typed("footprint", "drafts", judge, "--judge", path, "--judge-prompts", asked)
    assert "this judge was asked other prompts than judge.yaml" in other.err


def rated(sheet: Path, rater: str, answers: Sequence[tuple[str, str]]) -> Path:
    path = sheet.parent / f"{rater}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "accept", "rater", "comment"])
        writer.writerows([item, answer, rater, "a, b"] for item, answer in answers)
    return path


def test_a_blind_sheet_shows_no_record_and_its_ratings_come_back_to_each(
    typed: Typed, tmp_path: Path
) -> None:
    first, _ = stored(tmp_path, [*TEXTS[:3], "<b>bold</b> & more"], "secret-one")
    second, _ = stored(tmp_path, [f"other {i}" for i in range(4)], "secret-two")
    sheet = tmp_path / "sheet"
    typed("footprint", "sheet", first, second, "-o", sheet)
    page, listed = (sheet / "sheet.html").read_text(), (sheet / "sheet.csv").read_text()
    assert "secret" not in page + listed
    assert not any("secret" in path.name for path in sheet.rglob("*"))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in page
    key = json.loads((sheet / "key.json").read_text())["items"]
    items = [row["item"] for row in csv.DictReader(listed.splitlines())]
    assert sorted(items) == sorted(key)
    owners = [key[item]["record"] for item in items]
    assert owners not in (sorted(owners), sorted(owners, reverse=True)), "the records are mixed"
    ann = rated(sheet, "ann", [(item, "yes" if "one" in key[item]["record"] else "no") for item in items])
    bob = rated(sheet, "bob", [(item, "yes" if "one" in key[item]["record"] else "") for item in items])
    text = words(typed("footprint", "ratings", sheet / "key.json", ann, bob))
    assert "accepted, % of 4 distinct drafts 100 40 to 100" in text
    assert "No draft was accepted: at least 1.66 attempts, at 95 %." in text
    assert "2 raters; 100% of pairs of ratings agree; 0 items without a majority." in text
    again = typed("footprint", "sheet", first, "-o", sheet)
    assert "is not empty" in again.err


def test_odd_ratings_are_sentences(typed: Typed, tmp_path: Path) -> None:
    path, _ = stored(tmp_path, TEXTS[:2])
    sheet = tmp_path / "sheet"
    typed("footprint", "sheet", path, "-o", sheet)
    key = str(sheet / "key.json")
    item = next(iter(json.loads(Path(key).read_text())["items"]))
    cases = {
        "maybe": ([(item, "maybe")], "ann.csv:2: accept is 'maybe'"),
        "other": ([("i0", "yes")], "ann.csv:2: the sheet has no item i0"),
        "none": ([(item, "")], "No item has a rating"),
    }
    for answers, says in cases.values():
        ratings = rated(sheet, "ann", answers)
        assert says in typed("footprint", "ratings", key, ratings).err
    assert "not the key of a rating sheet" in typed("footprint", "ratings", path, key).err
