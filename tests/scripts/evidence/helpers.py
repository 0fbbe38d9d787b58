"""Parts that end as they are asked to, and a call that runs them in a folder of work."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path

from bench.core.record import Record
from bench.store import results
from scripts.evidence import packing, state
from scripts.evidence.card import CardInUse
from scripts.evidence.parts import RESULTS, Part
from scripts.evidence.running import Machine, Runner
from scripts.evidence.state import Try

CARD, OTHER = CardInUse("GPU-1", "a card", 80.0), CardInUse("GPU-2", "another card", 80.0)


def run(
    parts: Sequence[Part],
    work: Path,
    seconds: float,
    said: io.StringIO | None = None,
    card: CardInUse = CARD,
    *,
    rehearsed: bool = False,
) -> int:
    runner = Runner(
        work,
        Machine(rehearsed=rehearsed),
        card,
        said or io.StringIO(),
        lambda: packing.pack(work, work.parent / "out"),
    )
    return runner.run(parts, time.monotonic() + seconds)


def tries(work: Path, card: CardInUse = CARD) -> dict[str, Try]:
    return state.load(work).cards[card.key].parts


def part(
    name: str, status: int = 0, seconds: float = 0.0, expected_s: float = 0.1, *, vital: bool = False
) -> Part:
    arguments = (str(status), str(seconds))
    return Part(
        name, "a test", expected_s, "tests.scripts.evidence.obedient", arguments, f"{name}.json", vital=vital
    )


def recording(name: str, status: int, made: Record, work: Path, seconds: float = 0.0) -> Part:
    """A part that leaves this record behind and ends so."""
    source = work.parent / f"{name}.record"
    source.write_text(results.to_json(made), encoding="utf-8")
    target = work / RESULTS / "a-card" / f"{name}.json"
    arguments = (str(status), str(seconds), str(source), str(target))
    return Part(name, "a test", 0.1, "tests.scripts.evidence.obedient", arguments, measures=True)
