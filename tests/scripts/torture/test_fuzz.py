"""The fuzzer finds what it is made to find, and our readers have no such faults."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from scripts.torture import fuzz, readers
from scripts.torture.mutants import mutant
from scripts.torture.readers import Reader


def test_readers_take_or_refuse_a_few_damaged_files_of_each_kind(tmp_path: Path) -> None:
    tallies: dict[str, fuzz.Tally] = {}
    assert list(fuzz.fuzz(12 * len(readers.READERS), 7, tmp_path, tallies)) == []
    assert tallies.keys() == readers.READERS.keys()
    assert all(tally.inputs == 12 for tally in tallies.values())
    assert sum(tally.read for tally in tallies.values()) > 12, "some copies are still good"
    assert sum(tally.refused for tally in tallies.values()) > 12


def test_an_unknown_error_a_hang_and_a_file_left_behind_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(_path: Path) -> None:
        raise KeyError("a key")

    def endless(_path: Path) -> None:
        while True:
            pass

    def leaves(path: Path) -> None:
        path.with_name("left").write_text("x")

    monkeypatch.setattr(fuzz, "LONGEST_S", 1)
    monkeypatch.setattr(
        fuzz,
        "READERS",
        {
            each.__name__: Reader(".json", "json", lambda _: [b'{"a": 1}'], each)
            for each in (wrong, endless, leaves)
        },
    )
    found = [each.what for each in fuzz.fuzz(3, 1, tmp_path, {})]
    assert found[0].startswith("KeyError in test_fuzz.py:")
    assert found[1:] == ["took more than 1 s", "left left"]


def test_a_number_of_any_size_is_changed() -> None:
    """One mutation makes an integer of hundreds of digits, and a later one may meet it."""
    good = json.dumps({"figure": {"value": 10**400, "low": -(10**400), "high": 1}}).encode()
    changed = {mutant(random.Random(number), good, "values") for number in range(500)}
    assert len(changed) > 100


def test_mutants_are_the_same_for_a_seed_and_mostly_another_text() -> None:
    good = b'{"a": [1, {"b": "text"}]}'
    made = [mutant(random.Random(seed), good, "json") for seed in range(200)]
    assert made == [mutant(random.Random(seed), good, "json") for seed in range(200)]
    assert sum(each != good for each in made) > 150
