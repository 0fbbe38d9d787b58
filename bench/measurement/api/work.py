"""The caller's own work: on which cards it is, who else is there, and when it is really done."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import psutil

from bench.core.observed import Observed
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers


def synchronise_torch() -> None:
    """Wait for the cards that torch works on in this process; nothing to do where it does not use CUDA.

    torch is looked up, never imported, and no context is made on a card that has none.
    """
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return
    for index in range(cuda.device_count()):
        if index == cuda.current_device() or cuda.memory_reserved(index):
            cuda.synchronize(index)


class OwnWork:
    """Tells this program's processes on the cards from others, by the driver's process lists.

    Ours are this process and those that it started. Where none of them is on any card (the work is in a
    server, or the lists have ids of another namespace), what is there when a window opens is taken for it.
    """

    def __init__(self, drivers: GpuDrivers) -> None:
        self._drivers = drivers
        self._before: set[int] = set()

    def cards(self) -> tuple[Gpu, ...]:
        """The cards that this program computes on now; none where the driver does not list it."""
        ours = _family()
        return tuple(gpu for gpu in self._drivers.gpus if ours & _pids(gpu))

    def begins(self, metered: Sequence[Gpu]) -> None:
        """Remember who is there before a window."""
        self._before = {pid for gpu in metered for pid in _pids(gpu)}

    def add_to(self, observed: Observed, metered: Sequence[Gpu]) -> None:
        """After a window: `foreign_pids` on the metered cards, and the `unmetered_gpus` that we are on."""
        unknown = [reason for gpu in metered for _, reason in [gpu.compute_processes()] if reason]
        if unknown:
            observed.foreign_pids, observed.absent = None, {"foreign_pids": unknown[0]}
            return
        family, used = _family(), self.cards()
        ours = family if used else family | self._before
        foreign = {pid for gpu in metered for pid in _pids(gpu)} - ours
        observed.foreign_pids = sorted(foreign)
        observed.unmetered_gpus = [gpu.uuid for gpu in used if gpu not in metered]


def _family() -> set[int]:
    this = psutil.Process()
    return {this.pid, *(child.pid for child in this.children(recursive=True))}


def _pids(gpu: Gpu) -> set[int]:
    found, _ = gpu.compute_processes()
    return found or set()
