"""Selection of published figures, by scope, and of named systems without any.

    for axis, rows in by_axis(select(modality="image")).items():
        ...
    without_a_figure("text")

Rows keep the order of their file: nothing is ranked, least of all across scopes. Rows of CO2e are grouped
only where they are of one basis and have the same parts: Gemini's is market-based, Mistral's location-based.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bench.catalog.loading import unknown
from bench.footprint.reference import SCOPES, Published, PublishedScope, System, published, systems


def select(
    modality: str | None = None, scope: str | None = None, imported: Iterable[Published] = ()
) -> list[Published]:
    """The rows asked for. Raises UsageError for a modality or scope that no row can have."""
    found = [*published(), *imported]
    if modality is not None:
        _known(modality, {row.modality for row in found}, "modality of published figures")
        found = [row for row in found if row.modality == modality]
    if scope is not None:
        _known(scope, SCOPES, "scope")
        found = [row for row in found if row.scope == scope]
    return found


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


def _known(name: str, names: Iterable[str], kind: str) -> None:
    known = set(names)
    if name not in known:
        raise unknown(kind, name, known)
