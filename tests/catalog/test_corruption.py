"""However a catalogue is damaged, it either loads and can be planned, or is refused in sentences."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import CHOSEN_KEYS, find, load
from bench.catalog.models import Catalogue, Measure
from bench.errors import CatalogError, UsageError
from tests.catalog.sample import SAMPLE, write

HOSTILE = (
    "",
    "~",
    "-1",
    "0",
    "1.5",
    ".nan",
    "1.0e+999",
    "true",
    '""',
    "[]",
    "{}",
    "[[1], {a: b}]",
    "{a: {b: c}}",
    "2024-01-31",
    "'\\'",
    '"\\ud800\\u202e\\e"',
    "&a x",
    "!!int x",
    "|",
    "@",
    "9" * 30,
    "x" * 300,
)

SCALAR = re.compile(r"(?<=[:\-] )(?![\[{|>])[^\s,}\]][^,}\]\n]*(?=[,}\n])")
"""A plain value after a key or a dash, in block and in flow style."""


def without_each_line(text: str) -> Iterator[str]:
    """The text without its first line, without its second, and so on."""
    lines = text.splitlines(keepends=True)
    for number in range(len(lines)):
        yield "".join(lines[:number] + lines[number + 1 :])


def with_each_value_replaced(text: str) -> Iterator[str]:
    """The text with each of its values replaced by some of the hostile ones, in turn."""
    values = itertools.cycle(HOSTILE)
    places = list(SCALAR.finditer(text))
    assert len(places) > text.count("\n") / 2
    for place in places:
        for value in itertools.islice(values, 5):
            yield text[: place.start()] + value + text[place.end() :]


def cut_anywhere(text: str, times: int) -> Iterator[str]:
    """The text with a random stretch cut out, moved or doubled; the same ones each time."""
    chance = random.Random(3732)
    for _ in range(times):
        start = chance.randrange(len(text))
        end = start + chance.choice((1, 1, 3, 20, 200))
        replacement = chance.choice(("", text[start:end] * 2, "\n", "  ", ": ", '"', "{", "\t", "#", "\x85"))
        yield text[:start] + replacement + text[end:]


def survives(path: Path, text: str) -> bool:
    """Whether the catalogue loaded; where not, every line said of it names the file and can be printed."""
    path.write_text(text, encoding="utf-8")
    try:
        catalogue = load(path)
    except CatalogError as error:
        lines = error.message.split("\n")
    else:
        can_be_planned(catalogue)
        return True
    assert all(line.startswith(f"{path}:") and line.isprintable() for line in lines), lines
    return False


def can_be_planned(catalogue: Catalogue) -> None:
    """Every suite and model gives whole cases, or is refused as a wish this catalogue cannot grant."""
    for name in (*catalogue.suites, *catalogue.models):
        try:
            planned = plan(catalogue, [name], Overrides())
        except UsageError:
            continue
        assert all(len(item.case.as_mapping()["hash"]) == 16 for item in planned)
        assert all(
            vars(item.measure)[key] is not None
            for item in planned
            for key in Measure.model_fields.keys() - CHOSEN_KEYS
        )


def test_any_line_of_a_catalogue_may_be_missing(tmp_path: Path) -> None:
    path = write(tmp_path)
    outcomes = [survives(path, text) for text in without_each_line(SAMPLE)]
    assert outcomes.count(False) > len(outcomes) / 2
    assert any(outcomes)


def test_any_value_of_a_catalogue_may_be_anything(tmp_path: Path) -> None:
    path = write(tmp_path)
    outcomes = [survives(path, text) for text in with_each_value_replaced(SAMPLE)]
    assert outcomes.count(False) > len(outcomes) / 2
    assert any(outcomes)


def test_any_stretch_of_a_catalogue_may_be_damaged(tmp_path: Path) -> None:
    path = write(tmp_path)
    outcomes = [survives(path, text) for text in cut_anywhere(SAMPLE, 300)]
    assert 0 < outcomes.count(True) < len(outcomes)


@pytest.fixture(scope="module")
def shipped() -> str:
    return find(Path(__file__).parents[2] / "models.yaml").read_text(encoding="utf-8")


def test_the_shipped_catalogue_may_be_damaged_anywhere(shipped: str, tmp_path: Path) -> None:
    path = write(tmp_path)
    chance = random.Random(14)
    damaged = [
        *chance.sample(list(without_each_line(shipped)), 25),
        *chance.sample(list(with_each_value_replaced(shipped)), 25),
        *cut_anywhere(shipped, 25),
    ]
    outcomes = [survives(path, text) for text in damaged]
    assert 0 < outcomes.count(True) < len(outcomes)
