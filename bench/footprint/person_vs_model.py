"""The table of Tomlinson et al. 2024 with measured joules in the place of its estimates.

Lines of one scope are grouped and are never ranked across: what a card took, what its host took, what the
facility took, and the life cycle that the paper's own figures are of. Training is in none but the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.core.quantities import Grams, Joules, Range
from bench.footprint import tomlinson2024
from bench.footprint.bundled_rows import SCOPES, Factor, PublishedScope, scope_named
from bench.footprint.chain import MACHINE_SCOPES, Chain, lifecycle
from bench.footprint.humans import UNITS, Human
from bench.footprint.measured import MeasuredRow, MeasuredRows
from bench.footprint.reference import paper_inputs

NO_RATIO = "no ratio: the model emits nothing"
"""Of a grid factor of 0, or of a range that begins there."""


@dataclass(frozen=True)
class Line:
    """Energy of a page or an image, by a record or by the paper."""

    name: str
    unit: str
    kind: str
    """`measured`, `estimated`, `mixed` or `published`."""
    weights: str | None
    joules: Joules | None
    grams: Chain[Grams]
    interval: str
    conditions: str
    source: str
    """A key of sources.yaml, or the case of a record."""

    @property
    def scope(self) -> PublishedScope:
        """Basis of its grams."""
        return scope_named(self.grams.scope)

    def ratios(self, people: dict[str, Human]) -> dict[str, Range]:
        """Multiple that the paper's people emit, by region.

        Empty where the model emits nothing (see `NO_RATIO`): no number of times is as much.
        """
        mine = [each for each in people.values() if each.baseline.unit == self.unit]
        return times({each.baseline.region: _grams(each) for each in mine}, self.grams.result)


def times(people: Mapping[str, Grams], model: Grams) -> dict[str, Range]:
    """How many times as much each person emits; empty where the model emits nothing."""
    return {who: grams / model for who, grams in people.items() if model.low > 0}


def lines(rows: Iterable[MeasuredRow], grid: Factor, pue: Factor | None = None) -> list[Line]:
    """The paper's own figures and those of records, by scope; the order within a scope means nothing."""
    found = [*_of_paper(), *_served()]
    for row in rows:
        if row.unit not in UNITS:
            continue  # the paper has people for pages and images alone
        found += lines_of(row, grid, pue)
    return sorted(found, key=lambda line: list(SCOPES).index(line.scope))


def _of_paper() -> Iterable[Line]:
    chains = tomlinson2024.models()
    for name in ("chatgpt.page", "bloom.page", "bloom.page.lifecycle", "dalle2.image", "midjourney.image"):
        unit = "image" if name.endswith("image") else "page"
        yield Line(
            name, unit, "published", None, None, chains[name], "none stated", "an estimate", "tomlinson2024"
        )


def _served() -> Iterable[Line]:
    factor = paper_inputs()["bloom.grid"]
    for total, joules, grams in tomlinson2024.bloom_served():
        about = "none stated", f"2022, {factor.value:g} {factor.unit}, no PUE. {total.note}", total.source
        yield Line("BLOOM-176B as served", "page", "published", "hub", joules, grams, *about)


def lines_of(row: MeasuredRow, grid: Factor, pue: Factor | None = None) -> Iterable[Line]:
    """A record's line at one scope, and where the paper counts its training another with that."""
    grams, label = row.carbon(grid, pue), row.label
    about = row.interval, row.conditions, row.source
    yield Line(label, row.unit, row.kind, row.weights, row.joules, grams, *about)
    trained = tomlinson2024.TRAINED.get(row.record.case.model)
    if trained is not None and row.scope in MACHINE_SCOPES:
        whole = lifecycle(grams, tomlinson2024.to_page(tomlinson2024.training_share(trained)))
        name = f"{label}, with the paper's share of training"
        yield Line(name, row.unit, "mixed", row.weights, None, whole, *about)


def _grams(each: Human) -> Grams:
    assert isinstance(each.result, Grams)  # the paper's people are all counted top-down
    return each.result


@dataclass(frozen=True)
class MeasuredComparison:
    """Rows of records for the paper's table, and the factors that turn their joules into grams."""

    named: str
    """The folder or files that were read, in words."""
    read: MeasuredRows
    grid: Factor
    pue: Factor | None

    def lines(self) -> list[Line]:
        """The paper's figures and the measured ones, by scope."""
        return lines(self.read.rows, self.grid, self.pue)
