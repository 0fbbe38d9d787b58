"""Odd records, as somebody may have edited them, through every verb that reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.store import results
from tests.cli.conftest import Typed
from tests.cli.odd_records import CONTROLS, ODD, everywhere
from tests.support.factory import record
from tests.support.sample import save

READERS: dict[str, tuple[str, ...]] = {
    "compare": ("compare", "{plain}", "{odd}"),
    "compare json": ("compare", "{odd}", "{plain}", "--json", "--vary", "machine", "--vary", "libraries"),
    "across": ("compare", "--across-hardware", "{odd}", "{plain}"),
    "accept": ("accept", "{odd}", "{plain}", "--reason", "odd"),
    "validate": ("validate", "{odd}"),
    "csv": ("export", "csv", "{odd}"),
    "openmetrics": ("export", "openmetrics", "{odd}"),
    "codecarbon": ("export", "codecarbon", "{odd}"),
    "junit": ("export", "junit", "{odd}", "{plain}"),
    "github-summary": ("export", "github-summary", "{plain}", "{odd}"),
}


def odd_file(tmp_path: Path, path: tuple[str | int, ...], value: Any) -> Path:
    """The sample record with one value replaced."""
    plain: Any = json.loads(results.to_json(record()))
    place = plain
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    odd = tmp_path / "odd" / "a.json"
    odd.parent.mkdir()
    odd.write_text(json.dumps(plain))
    return odd


WILD: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "joules beyond every sum": (
        ("blocks", 1, "energy"),
        {"gpu:x": {"gross_j": 1e308, "source": "counter", "kind": "measured"}},
    ),
    "hardly any joules": (("blocks", 2, "units"), 1e300),
    "hardly any units": (("blocks", 2, "units"), 5e-324),
    "cards in words": (("machine", "gpus"), ["a card"]),
    "metered in words": (("machine", "metered"), "a card"),
    "an engine in words": (("engine", "used"), {"attention": {"a": [1, None]}}),
    "a time in words": (("created",), "yesterday"),
    "a pair without blocks": (("pair",), {"side": "A", "other": "x", "other_hash": "0", "order": "ABBA" * 9}),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_odd_value_is_a_fault(reader: str, typed: Typed, tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.json", record())
    for name, (path, value) in (ODD | WILD).items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        odd = odd_file(folder, path, value)
        done = typed(*(part.format(odd=odd, plain=plain) for part in READERS[reader]))
        assert done.status in (0, 1, 2, 3), (name, done.err)
        assert "a fault in joulebench" not in done.err, (name, done.err)


def test_text_of_a_record_cannot_steer_the_terminal(typed: Typed, tmp_path: Path) -> None:
    plain = save(tmp_path / "plain.json", record())
    for place, sample in everywhere(f"{CONTROLS}x"):
        odd = save(tmp_path / place / "odd.json", sample)
        for verb in (("compare",), ("compare", "--across-hardware")):
            done = typed(*verb, odd, plain)
            assert "a fault in joulebench" not in done.err
            assert {mark for mark in done.out + done.err if not mark.isprintable()} <= {"\n"}, (place, verb)
