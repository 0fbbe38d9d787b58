"""Other processes on the metered cards, listed outside windows because a process list is slow."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from bench.meters.gpu import Gpu


class GpuProcesses:
    """Tells our processes on a card from others.

    In a container process ids may belong to another namespace. So what appeared while our worker loaded is
    taken for ours when the worker's own id is not in the list. Where the work runs outside this process
    (`outside=True`), what was there before is taken for the work.
    """

    def __init__(self, gpus: Sequence[Gpu], *, outside: bool) -> None:
        self._before = {gpu.uuid: _pids(gpu) for gpu in gpus}
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
            now, before = _pids(gpu), self._before.get(gpu.uuid, set())
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


def _pids(gpu: Gpu) -> set[int]:
    """Ids on a card, empty if they cannot be listed: `foreign` reports that for each block."""
    found, _ = gpu.compute_processes()
    return found or set()
