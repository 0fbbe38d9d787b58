"""A scene: one fault at one moment of a run in virtual time, and how to play it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.meters.edges import ROOM_S
from scripts.faults.machine import Ending, Machine, assert_honest
from tests.standin import StandIn

MOMENTS = ("from the start", "in a block", "in a block, for 4 s", "at idle")
LONGEST_S = 60.0
"""A run without a fault takes about 40 s of virtual time, one that makes spoilt blocks good 10 s more."""
INTO_BLOCK_S = ROOM_S + 0.5
"""A measured block's stage begins with rest, so this is half a second into its window of two."""


@dataclass(frozen=True)
class Scene:
    """One fault at one moment."""

    fault: str
    moment: str
    arrange: Callable[[Machine], None]
    expected: str = ""
    """Part of what is said about it; empty where any honest ending will do."""
    judge: Callable[[Ending, StandIn], None] = assert_honest
    """Raises AssertionError where the ending is not what it owes."""
    longest_s: float = LONGEST_S

    def __str__(self) -> str:
        return f"{self.fault} {self.moment}"


def play(scene: Scene, library: Path, folder: Path) -> Ending:
    """Play a scene on a fresh machine. Raises AssertionError where its ending is not what it owes."""
    standin = StandIn(library, folder / "standin.control")
    try:
        with Machine(standin, folder) as machine:
            scene.arrange(machine)
            ending = machine.run()
        scene.judge(ending, standin)
    finally:
        standin.close()
    assert scene.expected in ending.said, f"{scene}: {ending.outcome}: {ending.sentence}"
    assert ending.virtual_s < scene.longest_s, f"{scene}: {ending.virtual_s:.0f} s"
    return ending


def at(moment: str, machine: Machine, begin: Callable[[], object], end: Callable[[], object]) -> None:
    """Let a fault begin at the moment, and end where it is only for a while."""
    if moment == "from the start":
        begin()
    elif moment == "at idle":
        machine.on_stage("idle before", lambda: machine.in_s(0.7, begin))
    else:
        machine.on_stage("measuring block 2", lambda: machine.in_s(INTO_BLOCK_S, begin))
    if moment == "in a block, for 4 s":
        machine.on_stage("measuring block 3", lambda: machine.in_s(0.05, end))
