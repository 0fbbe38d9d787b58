"""`python -m tests.evidence.beside`: zeus and CodeCarbon over this project's own windows, on a steady load.

The same contestants as in `scripts/bench-accuracy`, around work whose joules nobody knows: what is told is
how far apart they are. A peer that is not installed is left out, and said so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bench.cli import options
from bench.meters.nvml import Gpu, Nvml
from bench.meters.recorder import Recorder
from bench.runner.calibrate import procedure
from bench.runner.messages import Step
from tests.accuracy.meters import CODECARBON, OURS, ZEUS, CodeCarbonTask, Contestant, Ours, Zeus
from tests.accuracy.waveforms import Work
from tests.evidence.probing import note, tell

PEERS: dict[str, Callable[[int], Contestant]] = {ZEUS: Zeus, CODECARBON: CodeCarbonTask}
BUSY_S, REST_S = 0.9, 0.1
"""A load that pauses, as pages do between batches."""


def contestants(gpus: int) -> tuple[list[Contestant], dict[str, str]]:
    """Those that are installed, and why the others are not there."""
    found: list[Contestant] = []
    absent = {}
    for name, kind in PEERS.items():
        try:
            found.append(kind(gpus))
        except ImportError as error:
            absent[name] = str(error)
    return found, absent


def windows(
    bench: procedure.Bench, ours: Ours, peers: list[Contestant], lengths_s: list[float], at: int
) -> Any:
    """Joules of each window by each contestant, this project's outermost."""
    for seconds in lengths_s:
        work = Work(((seconds, 0.0),), ((0.0, seconds),), glows=False)
        steps = tuple(
            step for _ in range(round(seconds)) for step in (Step("high", BUSY_S), Step("idle", REST_S))
        )
        time.sleep(2.0)  # the pad before a window
        ours.open()
        for peer in peers:
            peer.open()
        bench.drive(steps)
        for peer in reversed(peers):
            peer.close()
        ours.close()
        all_j = {each.name: each.energies_j([work] * (at + 1))[at] for each in (ours, *peers)}
        our_j = all_j[OURS]
        apart = {
            name: joules / our_j - 1
            for name, joules in all_j.items()
            if name != OURS and joules is not None and our_j
        }
        yield {"seconds": seconds, "joules": all_j, "apart": apart}


def compared(nvml: Nvml, gpu: Gpu, lengths_s: list[float]) -> dict[str, Any]:
    """Every window, and who was not there."""
    peers, absent = contestants(len(nvml.gpus))
    with Recorder() as recorder, procedure.loaded(nvml, gpu, note) as bench:
        found = list(windows(bench, Ours(nvml, recorder), peers, lengths_s, gpu.index))
    return {"windows": found, "absent": absent}


@click.command()
@options.results_option
@options.gpus_option
@click.option("--seconds", type=options.Finite(min=1), default=30.0, help="Of each window.")
@click.option("--windows", "count", type=click.IntRange(1, 100), default=5, help="How many.")
def main(results: Path, gpus: str | None, seconds: float, count: int) -> None:
    """Print how far the peers lie from this project on the card that a run would use."""
    tell(lambda nvml, gpu: compared(nvml, gpu, [seconds] * count), gpus)


if __name__ == "__main__":
    main()
