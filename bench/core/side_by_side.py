"""Condition of a case that other cases of its run were measured beside, on other cards of the machine.

    record.side_by_side.cases     # 3 other cases of the run were at work during its blocks

What the cases share, processor and memory, is then of no single one: the host's energy is absent.
"""

from __future__ import annotations

from bench.core.model import Count, Number, SchemaModel

HOST_SHARED = "cases that are measured side by side share the host, so its energy is absent for each"


class CaseBeside(SchemaModel, frozen=True):
    """Another case of the run that was at work during the blocks of this one, from loading to its outcome."""

    label: str
    cards: tuple[str, ...]
    """UUIDs of its own cards."""
    start_ns: Count
    end_ns: Count | None
    """`null` where it was still at work when this record was made."""
    overlap_s: Number
    """Time of this case's blocks, without warm-up, in which it was at work."""


class SideBySide(SchemaModel, frozen=True):
    """The other cases of the run, and the cards (UUIDs) on which any of them could be at work meanwhile.

    `cases` counts those that were at work during this case's blocks, each of which is in `beside`. In older
    files, without `beside`, it is the number of all other cases of the run. What each of the cards drew is
    under `blocks.observed.neighbours`.
    """

    cases: Count
    cards: tuple[str, ...]
    beside: tuple[CaseBeside, ...] | None = None
    """In the order of the run; `null` in older files."""
