"""A file that is no record is refused in one sentence that names it, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.errors import RecordError
from bench.store import results
from tests.support import factory

WHOLE = results.to_json(factory.record())


def without(*keys: str) -> str:
    """The sample record without the value at a key path."""
    plain: Any = json.loads(WHOLE)
    place = plain
    for key in keys[:-1]:
        place = place[key] if isinstance(place, dict) else place[int(key)]
    del place[keys[-1]]
    return json.dumps(plain)


def replaced(old: str, new: str) -> str:
    """The sample record with a piece of its text replaced once."""
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "not a JSON file"),
    "YAML": ("a: 1\n", "not a JSON file"),
    "cut short": (WHOLE[: len(WHOLE) // 2], "not a JSON file"),
    "two records": (WHOLE + WHOLE, "not a JSON file: Extra data"),
    "binary": (b"\x89PNG\xff\xfe", "not a JSON file"),
    "deep": ("[" * 100_000, "not a JSON file"),
    "deep inside": (replaced('"seed": 0', '"seed": ' + "[" * 50_000 + "]" * 50_000), "not a JSON file"),
    "not a number": (replaced("360.0", "NaN"), "NaN is not a number in JSON"),
    "not a number in an open mapping": (replaced('"batch": 1', '"batch": NaN'), "NaN is not a number"),
    "without end": (replaced("360.0", "-Infinity"), "-Infinity is not a number in JSON"),
    "too many digits": (replaced('"batch": 1', '"batch": 1' + "0" * 5000), "not a JSON file"),
    "half a character": (replaced('"label": "bloom', '"label": "\\ud800bloom'), "not a JSON file"),
    "half a character deep inside": (replaced('"sdpa"', '"\\uD800"'), "not a JSON file"),
    "a list": ("[]", "not a record of this version"),
    "a number": ("7", "not a record of this version"),
    "nothing": ("null", "not a record of this version"),
    "an empty mapping": ("{}", "schema None, expected 'joulebench/record/1'"),
    "another schema": (
        replaced("joulebench/record/1", "joulebench/record/2"),
        "schema 'joulebench/record/2', expected 'joulebench/record/1'",
    ),
    "schema of another kind": (replaced('"joulebench/record/1"', '["a"]'), "schema ['a']"),
    "no label": (without("label"), "not a whole record: label: Field required"),
    "no status": (without("status"), "not a whole record: status: Field required"),
    "no case": (without("case"), "not a whole record: case: Field required"),
    "no hash": (without("case", "hash"), "not a whole record: case.hash: Field required"),
    "no kind of weights": (without("case", "weights", "kind"), "case.weights.kind: Field required"),
    "no end": (without("blocks", "2", "end_ns"), "not a whole record: blocks.2.end_ns: Field required"),
    "another status": (replaced('"status": "ok"', '"status": "fine"'), "status: Input should be 'ok'"),
    "an unknown field": (replaced('"status"', '"sttus": 1, "status"'), "sttus: Extra inputs"),
    "a moment beyond 64 bits": (replaced('"end_ns": ', '"end_ns": 1' + "0" * 400), "blocks.0.end_ns"),
    "text for a list": (replaced('"outputs": []', '"outputs": "x"'), "outputs: "),
}


@pytest.mark.parametrize(("content", "says"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_record_is_refused_with_what_is_wrong(
    content: str | bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RecordError) as caught:
        results.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert says in message
    assert len(message.splitlines()) == 1
    assert caught.value.exit_status == 2


def test_a_missing_file_is_named_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as caught:
        results.read(tmp_path / "a.json")
    assert str(caught.value).startswith(f"{tmp_path}/a.json: no such file.")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read: Is a directory"):
        results.read(tmp_path)


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(self: Path, mode: str) -> str:
        raise PermissionError(13, "Permission denied", str(self), mode)

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(RecordError, match="cannot be read: Permission denied"):
        results.read(tmp_path / "a.json")


def test_a_record_with_letters_from_anywhere_is_read(tmp_path: Path) -> None:
    """Written by hand in UTF-8, or escaped as whole pairs: both are text."""
    for label in ("漢字 🙂 \u202e", json.loads('"\\ud83d\\ude42"'), r"a path C:\udata"):
        record = factory.record(label=label)
        for ascii_only in (True, False):
            text = json.dumps(json.loads(results.to_json(record)), ensure_ascii=ascii_only)
            (tmp_path / "a.json").write_text(text, encoding="utf-8")
            assert results.read(tmp_path / "a.json") == record


def test_every_sample_record_survives_any_missing_field_with_a_sentence(tmp_path: Path) -> None:
    """Fields with a default may go; the others are named. Nothing else may be raised."""
    path = tmp_path / "a.json"
    refused = 0
    for key in json.loads(WHOLE):
        path.write_text(without(key))
        try:
            results.read(path)
        except RecordError as error:
            assert key in error.message  # noqa: PT017 - most keys raise nothing
            refused += 1
    assert refused == len({"schema", "status", "label", "created", "case"})
