"""Which published figures are asked for, by scope, and which named systems have none.

    for scope, rows in by_scope(select(modality="image")).items():
        ...
    without_a_figure("text")

Rows keep the order of their file: nothing is ranked, least of all across scopes.
"""

from __future__ import annotations

from collections.abc import Iterable

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


def by_scope(rows: Iterable[Published]) -> dict[PublishedScope, list[Published]]:
    """The rows of each scope that has any."""
    kept = list(rows)
    grouped = {scope: [row for row in kept if row.scope == scope] for scope in SCOPES}
    return {scope: group for scope, group in grouped.items() if group}


def without_a_figure(modality: str | None = None) -> list[System]:
    """Named systems of which nothing is published."""
    return [system for system in systems() if not system.figures and modality in (None, system.modality)]


def _known(name: str, names: Iterable[str], kind: str) -> None:
    known = set(names)
    if name not in known:
        raise unknown(kind, name, known)
