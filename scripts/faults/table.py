"""`scripts/bench-faults`: every fault, how the run ended, and how long that took.

In virtual time: NVML's errors by family and moment (each with one code, with `--all` with every code), cards,
counters, RAPL and recorders that misbehave. On the real clock: processes that are stopped or killed.
The exit status is 1 where an ending was not what it owes.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pynvml

from scripts.faults.processes import LONG, PATIENT_S, SHORT, Seen, play_together
from scripts.faults.scene import Scene, play
from scripts.faults.scenes import CODES, meter_scenes, nvml_scenes
from tests.standin import build

Row = tuple[str, str, str, str, str]


def virtual(scenes: Iterator[Scene], library: Path) -> Iterator[Row]:
    """A row a scene, its seconds virtual."""
    for scene in scenes:
        with tempfile.TemporaryDirectory() as folder:
            try:
                ending = play(scene, library, Path(folder))
            except AssertionError as error:
                yield scene.fault, scene.moment, "WRONG", "", str(error)
            else:
                yield scene.fault, scene.moment, ending.outcome, f"{ending.virtual_s:.0f}", ending.sentence


def real(library: Path) -> Iterator[Row]:
    """A row a scene, its seconds from the fault to the end of the run."""
    scenes = (*SHORT, *LONG)
    played = play_together(scenes, library, longest_s=PATIENT_S)
    for scene, seen in zip(scenes, played, strict=True):
        if isinstance(seen, Seen):
            yield scene.name, scene.stage, seen.outcome, f"{seen.seconds:.0f}", seen.sentence
        else:
            yield scene.name, scene.stage, "WRONG", "", str(seen)


def main() -> int:
    """Print the table as it comes."""
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell starts what is in its background deaf to it
    codes = CODES if "--all" in sys.argv[1:] else (pynvml.NVML_ERROR_UNKNOWN,)
    outcomes: Counter[str] = Counter()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # locks of its own: a run beside this one would have every scene refused
        library = build(Path(folder))
        for rows in (virtual(nvml_scenes(codes), library), virtual(meter_scenes(), library), real(library)):
            for fault, moment, outcome, seconds, sentence in rows:
                outcomes[outcome.partition(",")[0]] += 1
                print(f"{fault:42} {moment:26} {outcome:32} {seconds:>4} s  {sentence[:100]}", flush=True)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    print(f"{outcomes.total()} scenes: {counts}; {outcomes['WRONG']} wrong endings")
    print(f"wall time: {time.monotonic() - begun:.0f} s")
    return 1 if outcomes["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
