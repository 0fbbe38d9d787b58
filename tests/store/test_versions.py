"""Every form of a record that was ever written still loads; later ones are refused in words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.catalog.identity import case_hash
from bench.core import record as schema
from bench.errors import RecordError
from bench.store import results, versions
from tests.support import factory

HISTORY = Path(__file__).with_name("history")
WRITTEN = sorted(HISTORY.glob("*.json"))


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_a_record_of_every_form_ever_written_loads(path: Path) -> None:
    record = results.read(path)
    assert (record.schema_name, record.status) == (schema.SCHEMA, "ok")
    headline = record.headline()
    assert headline is not None
    assert headline.value == pytest.approx(300.0)
    assert headline.n == 5


def test_there_is_a_sample_of_every_schema_in_the_history() -> None:
    assert schema.__doc__ is not None
    named = set(re.findall(r"joulebench/record/\d+", schema.__doc__))
    assert schema.SCHEMA in named
    assert named == {json.loads(path.read_text())["schema"] for path in WRITTEN}
    assert named == {schema.SCHEMA, *versions.MIGRATIONS}


def test_an_old_schema_is_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def name_it(raw: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in raw.items() if key != "title"} | {"label": raw["title"]}

    def count_it(raw: dict[str, Any]) -> dict[str, Any]:
        return raw | {"title": f"{raw['title']}, renamed"}

    steps = {
        "joulebench/record/-1": ("joulebench/record/0", count_it),
        "joulebench/record/0": (schema.SCHEMA, name_it),
    }
    monkeypatch.setattr(versions, "MIGRATIONS", steps)
    old = json.loads(results.to_json(factory.record()))
    del old["label"]
    (tmp_path / "a.json").write_text(json.dumps(old | {"schema": "joulebench/record/-1", "title": "old"}))
    assert results.read(tmp_path / "a.json").label == "old, renamed"


def test_a_record_of_the_future_says_what_reads_it(tmp_path: Path) -> None:
    text = results.to_json(factory.record()).replace("joulebench/record/1", "joulebench/record/12")
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(RecordError, match="written by a newer joulebench") as caught:
        results.read(tmp_path / "a.json")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_what_a_file_holds_of_its_case_and_engine_is_kept_to_the_key(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    record = results.read(path)
    kept = json.loads(results.to_json(record))
    for part in ("case", "requested", "engine", "failure", "machine", "provenance"):
        assert text(kept[part]) == text(raw.get(part))
    assert [text(block["observed"]) for block in kept["blocks"]] == [
        text(block["observed"]) for block in raw["blocks"]
    ]
    assert case_hash(record.case.as_mapping()) == record.case.hash


def test_no_key_of_a_file_is_lost_where_it_is_written_again() -> None:
    for path in WRITTEN:
        raw = json.loads(path.read_text(encoding="utf-8"))
        kept = json.loads(results.to_json(results.read(path)))
        grow = (
            "blocks",
            "figures",
            "ended",
            "pair",
            "loading",
            "side_by_side",
        )  # newer optional keys are written as null
        assert {key: kept[key] for key in raw if key not in grow} == {
            key: value for key, value in raw.items() if key not in grow
        }


def test_what_is_added_to_a_part_of_a_record_is_written(tmp_path: Path) -> None:
    """An item put into a list that the file did not hold is no default any more."""
    record = results.read(HISTORY / "1-oldest.json")
    record.machine.metered.append("GPU-1")
    record.provenance.libraries["torch"] = "3"
    kept = json.loads(results.to_json(record))
    assert kept["machine"]["metered"] == ["GPU-1"]
    assert kept["provenance"]["libraries"] == {"torch": "3"}
    assert "gpus" not in kept["machine"]


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (
            ("provenance", "libraries"),
            ["torch"],
            r"provenance\.libraries: Input should be a valid dictionary",
        ),
        (("machine", "metered"), "a card", r"machine\.metered: Input should be a valid list"),
        (("machine", "gpus"), ["a card"], r"machine\.gpus\.0: Input should be a valid dictionary"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused_with_its_place(
    place: tuple[str, str], value: object, says: str
) -> None:
    raw = json.loads((HISTORY / "1-oldest.json").read_text(encoding="utf-8"))
    raw[place[0]][place[1]] = value
    with pytest.raises(RecordError, match=says):
        results.from_json(json.dumps(raw), "a.json")


def text(value: object) -> str:
    """As JSON, so that 700 and 700.0 are two."""
    return json.dumps(value, sort_keys=True)
