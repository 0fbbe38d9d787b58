"""Condition of a case that other cases of its run were measured beside, on other cards of the machine.

    record.side_by_side.cases     # 3 other cases of the run, each on cards of its own once these were free

What the cases share, processor and memory, is then of no single one: the host's energy is absent.
"""

from __future__ import annotations

from bench.core.model import Count, SchemaModel

HOST_SHARED = "cases that are measured side by side share the host, so its energy is absent for each"


class SideBySide(SchemaModel, frozen=True):
    """The other cases of the run, and the cards (UUIDs) on which any of them could be at work meanwhile.

    What each of these cards drew is under `blocks.observed.neighbours`.
    """

    cases: Count
    cards: tuple[str, ...]
