"""Cases that were measured at the same time on other cards of the machine.

    record.side_by_side[0].shared_s       # empty of a case that was measured alone

Joules of its own cards are a case's own. What all cases share (CPU, memory, the wall) is absent from its
record: no meter divides it between them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from bench.core.model import Number, OpenModel

CODE = "side by side"


class CaseBeside(OpenModel):
    """Another case, with the time that it and this one have in common."""

    label: str
    hash: str
    gpus: list[str] = Field(default_factory=list)
    """UUIDs of its cards."""
    shared_s: Number
    """Seconds from the later of both starts to the earlier of both ends, loading included."""


def reason(beside: Sequence[CaseBeside]) -> str:
    """Reason why a reading of the whole machine is absent: its code and a sentence."""
    others = "1 case" if len(beside) == 1 else f"{len(beside)} cases"
    return f"{CODE}: shared with {others} that ran beside it"
