"""Sections of measured joules in the place of a paper's estimate: the same people over each line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from bench.footprint.bundled_rows import SCOPES
from bench.footprint.humans import UNITS, Human
from bench.footprint.person_vs_model import NO_RATIO, Line, MeasuredComparison
from bench.view.content import Cell, Section, columns, table
from bench.view.sourced import from_whom, given
from bench.view.spans import spanned

ASIDE = ("interval", "conditions", "source")
COLUMNS = columns(
    "model", "per", "kind", "#J", "#g CO2e", "#US person ×", "#India person ×", *ASIDE, aside=ASIDE
)


def measured_sections(found: MeasuredComparison, people: dict[str, Human]) -> Iterator[Section]:
    """For a person: one table a scope, the same people over each line."""
    lines_of = found.lines()
    yield Section("The same with measured joules in the estimate's place", tuple(_notes(found)))
    for scope, group in groupby(lines_of, key=lambda line: line.scope):
        rows = table(COLUMNS, (_cells(line, people) for line in group))
        yield Section(f"scope {scope}: {SCOPES[scope]}", (rows,))
    absent = "The paper has no figure of an image's operation alone, so none is under a machine's scope."
    without = not all(line.ratios(people) for line in lines_of)
    yield Section("", (f"none: {NO_RATIO}.", absent) if without else (absent,))


def _notes(found: MeasuredComparison) -> Iterator[str]:
    """The records read, the factors used, and what was left out."""
    rows = [row for row in found.read.rows if row.unit in UNITS]
    if not rows:
        yield (
            f"{found.named} has no record of a page or an image: only published figures are shown. "
            "`python -m bench run paper` measures the paper's open models and writes records."
        )
    factor = found.grid
    year = f" {factor.year}" if factor.year else ""
    yield f"Grid: {factor.id}{year}, {given(factor)}, {from_whom(factor)}."
    if found.pue is not None:
        yield f"PUE {given(found.pue)} ({found.pue.source}), applied once to measured joules of scope host."
    if any(row.weights == "random" for row in rows):
        yield "random weights: the joules of the shape; the output is meaningless."
    if any(row.kind != "measured" for row in rows):
        yield "estimated, mixed: a model of power replaces a meter; the interval leaves its error out."
    yield from (f"left out: {reason}" for reason in found.read.left_out)


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
