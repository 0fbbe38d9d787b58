"""Processes on a card, and the attribution of its joules to them, as far as that is possible.

A card has one counter for all that runs on it. So its joules are a process' own only where no other was on
the card: such a process gets what was counted between two looks at both of which it was alone. Once it was
seen beside another, what it drew is not known any more. A process that comes and goes between two looks is
not seen.
"""

from __future__ import annotations

import time

import psutil

from bench.measurement.live.snapshot import GpuUserSnapshot
from bench.meters.gpu import CardProcess, Gpu
from bench.store.results import legible

HIDDEN = "something works on this card that cannot be seen from here (in a container, processes outside it)"
NOT_YET = "nothing counted yet"


class GpuUsers:
    """The processes of one card from look to look."""

    def __init__(self, gpu: Gpu) -> None:
        self._gpu = gpu
        self._alone_j: dict[int, float] = {}
        self._most: dict[int, int] = {}
        """By process, on how many there were on the card at once while it was."""
        self._before = frozenset(user.pid for user in gpu.users()[0] or ())
        self._looked_s = time.time()

    @property
    def seen(self) -> set[int]:
        """Every process seen on the card so far."""
        return set(self._most)

    def look(
        self, step_j: float, busy_percent: float | None
    ) -> tuple[tuple[GpuUserSnapshot, ...] | None, str | None]:
        """The processes now, with notes on them; `step_j` was counted since the last look."""
        processes, reason = self._gpu.users()
        since_s, self._looked_s = self._looked_s, time.time()
        if processes is None:
            self._before = frozenset()
            return None, f"processes cannot be listed: {reason}"
        shares, _ = self._gpu.busy_shares(since_s) if processes else ({}, None)
        pids = frozenset(user.pid for user in processes)
        hidden = not processes and bool(busy_percent)
        for pid in pids:
            self._most[pid] = max(self._most.get(pid, 0), len(pids))
        if len(pids) == 1 and pids == self._before:
            (pid,) = pids
            self._alone_j[pid] = self._alone_j.get(pid, 0.0) + step_j
        self._before = pids
        return tuple(self._user(user, shares) for user in processes), HIDDEN if hidden else None

    def _user(self, user: CardProcess, shares: dict[int, float] | None) -> GpuUserSnapshot:
        most, alone_j = self._most[user.pid], self._alone_j.get(user.pid)
        reason = NOT_YET if alone_j is None else None
        if most > 1:
            alone_j, reason = None, f"shared by {most} processes: the card has one counter for all"
        share = None if shares is None else shares.get(user.pid, 0.0)
        return GpuUserSnapshot(user.pid, _name(user.pid), user.memory_bytes, share, alone_j, reason)


def _name(pid: int) -> str | None:
    try:
        return str(legible(psutil.Process(pid).name()))
    except psutil.Error:
        return None
