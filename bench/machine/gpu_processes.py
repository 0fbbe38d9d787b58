"""Processes on a card: which are ours, which are others'. Listed outside windows, as a list is slow.

pids_on(gpu), others_on(gpu)               # now
processes = GpuProcesses(drivers.gpus, outside=False)     # of a worker: before its model is loaded
processes.loaded((child.pid,), gpus)
processes.foreign()                        # ([4711], None), or (None, reason)
OwnWork(drivers).cards()                   # of this program: the cards that it computes on
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

import psutil

from bench.core.observed import Observed
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers


class GpuProcesses:
    """Tells our processes on a card from others.

    In a container process ids may belong to another namespace. So what appeared while our worker loaded is
    taken for ours when the worker's own id is not in the list. Where the work runs outside this process
    (`outside=True`), what was there before is taken for the work.
    """

    def __init__(self, gpus: Sequence[Gpu], *, outside: bool) -> None:
        self._before = {gpu.uuid: pids_on(gpu) for gpu in gpus}
        self._outside = outside
        self._ours: set[int] = {os.getpid()}
        self._gpus: dict[str, Gpu] = {}

    def loaded(self, pids: Collection[int], gpus: Sequence[Gpu]) -> None:
        """Learn which processes are ours, once a model is on the cards that are metered.

        Without any of a producer's `pids`, what was there before is the work, too.
        """
        self._gpus |= {gpu.uuid: gpu for gpu in gpus}
        self._ours.update(pids)
        for gpu in gpus:
            now, before = pids_on(gpu), self._before.get(gpu.uuid, set())
            if self._outside or not pids:
                self._ours |= before
            elif not now.intersection(pids):
                self._ours |= now - before

    def foreign(self) -> tuple[list[int] | None, str | None]:
        """Process ids on the metered cards that are not ours; or `None` and why they cannot be listed."""
        seen: set[int] = set()
        for gpu in self._gpus.values():
            found, reason = gpu.compute_processes()
            if found is None:
                return None, reason
            seen |= found
        return sorted(seen - self._ours), None


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
        ours = own_family()
        return tuple(gpu for gpu in self._drivers.gpus if ours & pids_on(gpu))

    def begins(self, metered: Sequence[Gpu]) -> None:
        """Remember who is there before a window."""
        self._before = {pid for gpu in metered for pid in pids_on(gpu)}

    def add_to(self, observed: Observed, metered: Sequence[Gpu]) -> None:
        """After a window: `foreign_pids` on the metered cards, and the `unmetered_gpus` that we are on."""
        unknown = [reason for gpu in metered for _, reason in [gpu.compute_processes()] if reason]
        if unknown:
            observed.foreign_pids, observed.absent = None, {"foreign_pids": unknown[0]}
            return
        family, used = own_family(), self.cards()
        ours = family if used else family | self._before
        foreign = {pid for gpu in metered for pid in pids_on(gpu)} - ours
        observed.foreign_pids = sorted(foreign)
        observed.unmetered_gpus = [gpu.uuid for gpu in used if gpu not in metered]


def pids_on(gpu: Gpu) -> set[int]:
    """Ids of the processes that compute on a card; empty where they cannot be listed."""
    return gpu.compute_processes()[0] or set()


def others_on(gpu: Gpu) -> tuple[list[int] | None, str | None]:
    """Processes on a card but this one, sorted; or `None` and why they cannot be listed."""
    pids, reason = gpu.compute_processes()
    return (None if pids is None else sorted(pids - {os.getpid()})), reason


def own_family() -> set[int]:
    """This process and those that it started, directly or not."""
    this = psutil.Process()
    return {this.pid, *(child.pid for child in this.children(recursive=True))}
