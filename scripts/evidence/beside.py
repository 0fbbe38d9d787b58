"""`python -m scripts.evidence.beside`: zeus and CodeCarbon over this project's own windows, on a steady load.

The same contestants as in `scripts/bench-accuracy`, around work of unknown joules: the result is how far
apart they are. A peer that is not installed, or breaks, is absent with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from bench.calibrate import procedure
from bench.cli import options
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import Recorder
from bench.worker.messages import LoadStep
from scripts.accuracy.meters import CODECARBON, OURS, ZEUS, CodeCarbonTask, Contestant, Ours, Zeus
from scripts.accuracy.waveforms import Work
from scripts.evidence.probing import note, print_json

PEERS: dict[str, Callable[[int], Contestant]] = {ZEUS: Zeus, CODECARBON: CodeCarbonTask}
BUSY_S, REST_S = 0.9, 0.1
"""A load that pauses, as pages do between batches."""


class Peers:
    """The contestants that are installed; one that breaks is absent from then on, with the reason."""

    def __init__(self, gpus: int) -> None:
        self.absent: dict[str, str] = {}
        self._working: dict[str, Contestant] = {}
        for name, kind in PEERS.items():
            with self._costs_only(name):
                self._working[name] = kind(gpus)

    def open(self) -> None:
        """Let each begin to measure."""
        for name, peer in list(self._working.items()):
            with self._costs_only(name):
                peer.open()

    def close(self) -> None:
        """Let each end, the last that began first."""
        for name, peer in reversed(list(self._working.items())):
            with self._costs_only(name):
                peer.close()

    def energies_j(self, works: list[Work], at: int) -> dict[str, float | None]:
        """Joules of one card by each."""
        energies: dict[str, float | None] = {}
        for name, peer in list(self._working.items()):
            with self._costs_only(name):
                energies[name] = peer.energies_j(works)[at]
        return energies

    @contextmanager
    def _costs_only(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - another program's fault costs that program's figures only
            self._working.pop(name, None)
            self.absent[name] = f"{type(error).__name__}: {error}"


def windows(
    bench: procedure.LoadedGpu, ours: Ours, peers: Peers, lengths_s: list[float], at: int
) -> Iterator[dict[str, Any]]:
    """Joules of each window by each contestant, this project's outermost."""
    for seconds in lengths_s:
        work = Work(((seconds, 0.0),), ((0.0, seconds),), glows=False)
        steps = tuple(
            step
            for _ in range(round(seconds))
            for step in (LoadStep("high", BUSY_S), LoadStep("idle", REST_S))
        )
        time.sleep(2.0)  # the pad before a window
        ours.open()
        peers.open()
        bench.drive(steps)
        peers.close()
        ours.close()
        works = [work] * (at + 1)
        our_j = ours.energies_j(works)[at]
        all_j = {OURS: our_j, **peers.energies_j(works, at)}
        apart = {
            name: joules / our_j - 1
            for name, joules in all_j.items()
            if name != OURS and joules is not None and our_j
        }
        yield {"seconds": seconds, "joules": all_j, "apart": apart}


def compared(drivers: GpuDrivers, gpu: Gpu, lengths_s: list[float]) -> dict[str, Any]:
    """Every window, and which peers are absent."""
    peers = Peers(len(drivers.gpus))
    with Recorder() as recorder, procedure.loaded(drivers, gpu, note) as bench:
        measured = list(windows(bench, Ours(drivers, recorder), peers, lengths_s, gpu.index))
    return {"windows": measured, "absent": peers.absent}


@click.command()
@options.results_option
@options.gpus_option
@click.option("--seconds", type=options.Finite(min=1), default=30.0, help="Of each window.")
@click.option("--windows", "count", type=click.IntRange(1, 100), default=5, help="How many.")
def main(results: Path, gpus: str | None, seconds: float, count: int) -> None:
    """Print how far the peers are from this project on the card that a run would use."""
    print_json(lambda drivers, gpu: compared(drivers, gpu, [seconds] * count), gpus)


if __name__ == "__main__":
    main()
