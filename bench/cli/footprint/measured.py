"""Measured joules in a view of published figures: read, converted with one grid factor, and drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.cli.record_arguments import named_rows
from bench.cli.sourced import (
    add,
    chain_json,
    given,
    heading,
    quantity_json,
    range_json,
    row_json,
    span,
    table,
)
from bench.cli.tables import cell
from bench.core.quantities import Range
from bench.footprint.against import NO_RATIO, Line, lines
from bench.footprint.chain import check_grid, check_pue
from bench.footprint.grid import choose, stated
from bench.footprint.humans import UNITS, Human
from bench.footprint.measured import Found
from bench.footprint.reference import SCOPES, Factor
from bench.report.numbers import NOT_KNOWN


@dataclass(frozen=True)
class MeasuredView:
    """What records hold, and the factors that turn its joules into grams."""

    named: str
    """What was looked through, in words."""
    found: Found
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

    def against(self, people: dict[str, Human]) -> Iterable[object]:
        """For a person: one table a scope, the same people over each line."""
        yield heading("The same with measured joules in the estimate's place")
        yield from self.notes()
        for scope, group in groupby(self.lines(), key=lambda line: line.scope):
            yield heading(f"scope {scope}: {SCOPES[scope]}")
            made = table(
                "model",
                "per",
                "kind",
                "J",
                "g CO2e",
                "US person ×",
                "India person ×",
                "interval",
                "conditions",
                "source",
                right=("J", "g CO2e", "US person ×", "India person ×"),
            )
            for line in group:
                ratios = line.ratios(people)
                add(
                    made,
                    line.name,
                    line.unit,
                    f"{line.kind}, random weights" if line.weights == "random" else line.kind,
                    NOT_KNOWN if line.joules is None else span(line.joules.range),
                    span(line.grams.result.range),
                    _times(ratios.get("US")),
                    _times(ratios.get("India")),
                    line.interval,
                    line.conditions,
                    line.source,
                )
            yield made
        if not all(line.ratios(people) for line in self.lines()):
            yield cell(f"none: {NO_RATIO}.")
        yield cell(
            "The paper has no figure of an image's operation alone, so none stands under a machine's scope."
        )

    def notes(self) -> Iterable[object]:
        """What was read, with which factors, and what was left out."""
        rows = [row for row in self.found.rows if row.unit in UNITS]
        if not rows:
            yield cell(
                f"{self.named} holds no record of a page or an image: only published figures stand here. "
                "`python -m bench run paper` measures the paper's open models and writes records."
            )
        factor = self.grid
        year = f" {factor.year}" if factor.year else ""
        yield cell(f"Grid: {factor.id}{year}, {given(factor)}, {factor.source} ({factor.evidence}).")
        if self.pue is not None:
            yield cell(
                f"PUE {given(self.pue)} ({self.pue.source}), applied once to measured joules of scope host."
            )
        if any(row.weights == "random" for row in rows):
            yield cell("random weights: the joules of the shape; the output is meaningless.")
        if any(row.kind != "measured" for row in rows):
            yield cell(
                "estimated, mixed: a model of power stands in for a meter; the interval leaves its error out."
            )
        for reason in self.found.left_out:
            yield cell(f"left out: {reason}")

    def json(self, people: dict[str, Human]) -> dict[str, Any]:
        """For a machine."""
        return {
            "grid": row_json(self.grid),
            "pue": None if self.pue is None else row_json(self.pue),
            "left_out_records": self.found.left_out,
            "lines": [_line_json(line, people) for line in self.lines()],
        }


def _times(ratio: Range | None) -> str:
    return "none" if ratio is None else span(ratio)


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
