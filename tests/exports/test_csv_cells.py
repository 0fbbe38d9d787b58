"""What a spreadsheet would run as a formula is text in every CSV that is written."""

from __future__ import annotations

import csv
import io
import itertools
import random
from pathlib import Path

import pytest

from bench.exports.csv_cells import safe
from tests.cli.conftest import Typed, plain_surroundings, typed
from tests.support.factory import case
from tests.support.sample import run, save

__all__ = ["plain_surroundings", "typed"]

FORMULAS = ['=HYPERLINK("http://127.0.0.1","x")', "+1+cmd", "-2+3", "@SUM(A1)", " =1+1"]


JOINTS = (";", "; ", ';"', ';""', "\t", "\r\n", "\n", "\n ", "")


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_becomes_text(formula: str) -> None:
    assert safe(formula) == f"'{formula}"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_wherever_a_spreadsheet_splits(separator: str) -> None:
    """Excel splits at the list separator of its language, also within quotes that do not begin a cell."""
    starts = ("a", "", "a;b", 'say "so"', "a\n", "\n", "\t")
    for text in ("".join(parts) for parts in itertools.product(starts, JOINTS, ("=1+1",))):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerow(["label", safe(text), safe("tail"), -1.5])
        lines = out.getvalue().splitlines()
        cells = [cell.lstrip(' "') for line in lines for cell in line.split(separator)]
        assert "=1+1" in out.getvalue()
        assert not [cell for cell in cells if cell.startswith("=")], (text, cells)


@pytest.mark.parametrize(
    "value", ["-1.5", "+2", -1.5, None, True, "a=b", "x - y", "", "1e-3", "a; b", "a;b=1"]
)
def test_numbers_and_words_stay(value: object) -> None:
    assert safe(value) == value


@pytest.mark.parametrize(
    "line",
    [
        ("export", "csv", "records"),
        ("export", "codecarbon", "records"),
        ("query", "SELECT model, label FROM records", "--csv", "--results", "records"),
    ],
    ids=lambda line: "-".join(line[:2]),
)
def test_a_model_named_as_a_formula_is_text_in_exports(
    typed: Typed, tmp_path: Path, line: tuple[str, ...]
) -> None:
    named = case(model=FORMULAS[0])
    save(tmp_path / "records" / "a.json", run(300, random.Random(1), case=named, label=FORMULAS[0]))
    done = typed(*line)
    assert done.status == 0, done.err
    cells = [cell for row in csv.reader(io.StringIO(done.out)) for cell in row]
    assert any(cell == f"'{FORMULAS[0]}" for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]
