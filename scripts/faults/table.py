"""Every fault, how the run ended, and how long that took: `scripts/bench-torture faults`.

In virtual time, on all processors: NVML's errors by family and moment; cards, counters, RAPL and recorders
that misbehave. On the real clock: processes that are stopped or killed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from scripts.faults.processes import LONG, PATIENT_S, SHORT, Seen, play_together
from scripts.faults.scene import Scene, play
from scripts.faults.scenes import meter_scenes, nvml_scenes
from tests.standin import build

WRONG = "WRONG"


class Row(NamedTuple):
    """A scene and its ending; `seconds` are virtual, or real ones from the fault to the run's end."""

    fault: str
    moment: str
    outcome: str
    """What became of the case and of its blocks; `WRONG` where that is not what the scene owes."""
    seconds: str
    sentence: str

    def __str__(self) -> str:
        fields = f"{self.fault:42} {self.moment:26} {self.outcome:32} {self.seconds:>4} s"
        return f"{fields}  {self.sentence[:100]}"


def rows(codes: tuple[int, ...], folder: Path) -> Iterator[Row]:
    """A row a scene, NVML's errors with each of the codes."""
    library = build(folder / "library")
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _use_own_locks, (folder,)) as pool:
        yield from pool.map(partial(_virtual, codes, library), range(len(_virtual_scenes(codes))))
        yield from pool.submit(_real, library).result()


def _use_own_locks(folder: Path) -> None:
    """Locks are temporary files: a scene would be refused beside another one, or beside a run."""
    tempfile.tempdir = tempfile.mkdtemp(dir=folder)


@cache
def _virtual_scenes(codes: tuple[int, ...]) -> list[Scene]:
    return list(chain(nvml_scenes(codes), meter_scenes()))


def _virtual(codes: tuple[int, ...], library: Path, number: int) -> Row:
    """Play the scene of this number: a scene itself is of functions, which another process cannot be sent."""
    scene = _virtual_scenes(codes)[number]
    with tempfile.TemporaryDirectory() as folder:
        try:
            ending = play(scene, library, Path(folder))
        except AssertionError as error:
            return Row(scene.fault, scene.moment, WRONG, "", str(error))
    return Row(scene.fault, scene.moment, ending.outcome, f"{ending.virtual_s:.0f}", ending.sentence)


def _real(library: Path) -> list[Row]:
    scenes, found = (*SHORT, *LONG), []
    played = play_together(scenes, library, longest_s=PATIENT_S)
    for scene, seen in zip(scenes, played, strict=True):
        if isinstance(seen, Seen):
            found.append(Row(scene.name, scene.stage, seen.outcome, f"{seen.seconds:.0f}", seen.sentence))
        else:
            found.append(Row(scene.name, scene.stage, WRONG, "", str(seen)))
    return found
