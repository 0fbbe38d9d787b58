"""Measured joules in a view of published figures: read, converted with one grid factor, and drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.cli.record_arguments import named_rows
from bench.footprint.chain import check_grid, check_pue
from bench.footprint.grid import choose, stated
from bench.footprint.humans import UNITS, Human
from bench.footprint.measured import MeasuredRows
from bench.footprint.person_vs_model import NO_RATIO, Line, lines
from bench.footprint.reference import SCOPES, Factor
from bench.view.content import Cell, Section, columns, table
from bench.view.sourced import chain_json, from_whom, given, quantity_json, range_json, row_json, spanned

NO_IMAGE = "The paper has no figure of an image's operation alone: none is under a machine's scope."
ASIDE = ("interval", "conditions", "source")
COLUMNS = columns(
    "model", "per", "kind", "#J", "#g CO2e", "#US person ×", "#India person ×", *ASIDE, aside=ASIDE
)


@dataclass(frozen=True)
class MeasuredView:
    """Figures of records, and the factors that turn joules into grams."""

    named: str
    """The searched folder or file, in words."""
    found: MeasuredRows
    grid: Factor
    pue: Factor | None

    @classmethod
    def read(
        cls, names: tuple[str, ...], results: Path, grid: str | None, pue: float | None, *, shapes: bool
    ) -> MeasuredView:
        """Read the records named, else all of `results`.

        The factors are what the user typed, refused at once where they cannot be.
        """
        factor, overhead = choose(grid), None if pue is None else stated("--pue", pue, "1", "facility")
        check_grid(factor)
        if overhead is not None:
            check_pue(overhead)
        return cls(
            ", ".join(names) or str(results), named_rows(names, results, shapes=shapes), factor, overhead
        )

    def lines(self) -> list[Line]:
        """The paper's figures and the measured ones, by scope."""
        return lines(self.found.rows, self.grid, self.pue)

    def against(self, people: dict[str, Human]) -> Iterator[Section]:
        """For a person: one table a scope, the same people over each line."""
        lines_of = self.lines()
        yield Section("The same with measured joules in the estimate's place", tuple(self._notes()))
        for scope, group in groupby(lines_of, key=lambda line: line.scope):
            rows = table(COLUMNS, (_cells(line, people) for line in group))
            yield Section(f"scope {scope}: {SCOPES[scope]}", (rows,))
        absent = "The paper has no figure of an image's operation alone, so none is under a machine's scope."
        without = not all(line.ratios(people) for line in lines_of)
        yield Section("", (f"none: {NO_RATIO}.", absent) if without else (absent,))

    def _notes(self) -> Iterator[str]:
        """The records read, the factors used, and what was left out."""
        rows = [row for row in self.found.rows if row.unit in UNITS]
        if not rows:
            yield (
                f"{self.named} has no record of a page or an image: only published figures are shown. "
                "`python -m bench run paper` measures the paper's open models and writes records."
            )
        factor = self.grid
        year = f" {factor.year}" if factor.year else ""
        yield f"Grid: {factor.id}{year}, {given(factor)}, {from_whom(factor)}."
        if self.pue is not None:
            yield f"PUE {given(self.pue)} ({self.pue.source}), applied once to measured joules of scope host."
        if any(row.weights == "random" for row in rows):
            yield "random weights: the joules of the shape; the output is meaningless."
        if any(row.kind != "measured" for row in rows):
            yield "estimated, mixed: a model of power replaces a meter; the interval leaves its error out."
        yield from (f"left out: {reason}" for reason in self.found.left_out)

    def json(self, people: dict[str, Human]) -> dict[str, Any]:
        """For a machine."""
        return {
            "grid": row_json(self.grid),
            "pue": None if self.pue is None else row_json(self.pue),
            "left_out_records": self.found.left_out,
            "lines": [_line_json(line, people) for line in self.lines()],
        }


def _cells(line: Line, people: dict[str, Human]) -> tuple[Cell, ...]:
    ratios = line.ratios(people)
    return (
        line.name,
        line.unit,
        f"{line.kind}, random weights" if line.weights == "random" else line.kind,
        spanned(line.joules.range if line.joules else None),
        spanned(line.grams.result.range),
        *(spanned(ratios[region]) if region in ratios else "none" for region in ("US", "India")),
        line.interval,
        line.conditions,
        line.source,
    )


def _line_json(line: Line, people: dict[str, Human]) -> dict[str, Any]:
    ratios = line.ratios(people)
    return {
        "name": line.name,
        "unit": line.unit,
        "scope": line.scope,
        "kind": line.kind,
        "weights": line.weights,
        "joules": None if line.joules is None else quantity_json(line.joules),
        "carbon": chain_json(line.grams),
        "interval": line.interval,
        "conditions": line.conditions,
        "source": line.source,
        "person_per_model": {region: range_json(ratio) for region, ratio in ratios.items()} or None,
        "no_ratio": None if ratios else NO_RATIO,
    }
