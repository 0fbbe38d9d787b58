"""Selection of published figures, by scope, and of named systems without any.

    for axis, rows in by_axis(select(modality="image")).items():
        ...
    without_a_figure("text")
    represented(catalogue.models)       # every system that the papers name, and what answers for it

Rows keep the order of their file: nothing is ranked, least of all across scopes. Rows of CO2e are grouped
only where they are of one basis and have the same parts: Gemini's is market-based, Mistral's location-based.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from bench.catalog.models import Model
from bench.core import modalities
from bench.core.near_names import unknown
from bench.core.quantities import Joules
from bench.footprint.bundled_rows import SCOPES, Published, PublishedScope, System
from bench.footprint.figure_units import joules_per
from bench.footprint.measured import MeasuredRows
from bench.footprint.reference import published, systems
from bench.footprint.references import References


def select(
    modality: str | None = None,
    scope: str | None = None,
    imported: Iterable[Published] = (),
    unit: str | None = None,
) -> list[Published]:
    """The rows asked for. Raises UsageError for a modality, scope or unit that no row can have.

    `unit` is one of rows (`query`, `clip`), or one of models (`audio_second`) for all that have joules of it.
    """
    found = [*published(), *imported]
    units = {row.unit for row in found} | set(modalities.units())
    if modality is not None:
        _known(modality, {row.modality for row in found}, "modality of published figures")
        found = [row for row in found if row.modality == modality]
    if unit is not None:
        _known(unit, units, "unit of published figures")
        found = [row for row in found if row.unit == unit or joules_per(row, unit) is not None]
    if scope is not None:
        _known(scope, SCOPES, "scope")
        found = [row for row in found if row.scope == scope]
    return found


class PublishedFigures(NamedTuple):
    """Published and measured figures as they were asked for, by modality and unit."""

    rows: list[Published]
    measured: MeasuredRows
    modality: str | None
    unit: str | None
    imported: References

    def joules(self, row: Published) -> Joules | None:
        """Joules of one of the unit asked for, else of the row's own."""
        return row.joules if self.unit is None else joules_per(row, self.unit)


class Axis(NamedTuple):
    """Properties shared by all rows on one axis; the last three apply to CO2e only."""

    scope: PublishedScope
    basis: str | None = None
    training: str | None = None
    embodied: str | None = None

    @property
    def about(self) -> str:
        """Heading: `scope lifecycle: ...`, and for CO2e its basis and contents."""
        words = f"scope {self.scope}: {SCOPES[self.scope]}"
        if self.basis is None:
            return words
        parts = f"training {self.training}, making of the machines {self.embodied}"
        return f"{words}; CO2e, basis {self.basis}, {parts}"


def by_axis(rows: Iterable[Published]) -> dict[Axis, list[Published]]:
    """Rows grouped by axis, in the order of the scopes."""
    grouped: dict[Axis, list[Published]] = {}
    for row in rows:
        grouped.setdefault(Axis(row.scope, row.basis, row.training, row.embodied), []).append(row)
    order = list(SCOPES)
    return dict(sorted(grouped.items(), key=lambda item: order.index(item[0].scope)))


def without_a_figure(modality: str | None = None) -> list[System]:
    """Named systems of which nothing is published."""
    return [system for system in systems() if not system.figures and modality in (None, system.modality)]


Representation = Literal["can be run", "stand-in", "sourced", "no published figure"]
"""How a system is represented, best first: own weights, open ones in their place, a figure in print, none."""


class RepresentedSystem(NamedTuple):
    """A system that the papers name, and what answers for it."""

    system: System
    by: Representation
    models: tuple[str, ...]
    """Models of the catalogue, where it can be run or has a stand-in."""
    units: tuple[str, ...]
    """Of those models, else of its figures, else of its modality; empty where it makes no output."""


def represented(models: Mapping[str, Model]) -> list[RepresentedSystem]:
    """Every system that the papers name, by the models of a catalogue, else by published figures."""
    return [_represented(system, models) for system in systems() if system.in_papers]


def _represented(system: System, models: Mapping[str, Model]) -> RepresentedSystem:
    kinds: tuple[tuple[Representation, list[str]], ...]
    kinds = (("can be run", system.measured_by), ("stand-in", system.stand_ins))
    for kind, names in kinds:
        if found := tuple(name for name in names if name in models):
            return RepresentedSystem(system, kind, found, _once(models[name].unit for name in found))
    if system.figures:
        units = _once(row.unit for row in published() if row.id in system.figures)
        return RepresentedSystem(system, "sourced", (), units)
    made = (each.unit for each in modalities.all_modalities() if each.name == system.modality)
    return RepresentedSystem(system, "no published figure", (), tuple(made))


def _once(units: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(units))


def _known(name: str, names: Iterable[str], kind: str) -> None:
    known = set(names)
    if name not in known:
        raise unknown(kind, name, known)
