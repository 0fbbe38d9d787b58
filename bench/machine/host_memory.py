"""Host memory of one machine that cases take while they run side by side, as it is forecast for each.

    memory = HostMemory(host_memory_bytes())
    if memory.takes(need_bytes):      # False while this and those that have begun need more than there is
        ...
        memory.give_back(need_bytes)

A case that needs more than all of it may begin alone, as it may without others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import psutil

CGROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
"""Where Linux shows limits of groups of processes, and names the groups of this one."""


def host_memory_bytes() -> int:
    """Memory of this machine, or of the container or batch job that this process is in where that is less."""
    return min([int(psutil.virtual_memory().total), *_limits_bytes()])


def _limits_bytes() -> Iterator[int]:
    """Limits of the groups of this process and of all groups above them; those without one say `max`."""
    try:
        groups = OWN_GROUPS.read_text().splitlines()
    except OSError:  # not on Linux
        return
    for number, kinds, group in (line.split(":", 2) for line in groups if line.count(":") >= 2):
        if number == "0":
            root, name = CGROUPS, "memory.max"
        elif "memory" in kinds.split(","):
            root, name = CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        # A container may see its own group as the root, though it is named by its place on the host.
        for place in (own := PurePosixPath(group.lstrip("/")), *own.parents):
            try:
                text = (root / place / name).read_text().strip()
            except OSError:
                continue
            if text.isdigit():
                yield int(text)


class HostMemory:
    """Memory that a run's cases share; forecast, not measured."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.taken_bytes = 0
        self._cases = 0

    def takes(self, need_bytes: int) -> bool:
        """Take it for a case; `False` where that has to wait."""
        if self._cases and self.taken_bytes + need_bytes > self.total_bytes:
            return False
        self._cases += 1
        self.taken_bytes += need_bytes
        return True

    def give_back(self, need_bytes: int) -> None:
        """A case has ended."""
        self._cases -= 1
        self.taken_bytes -= need_bytes
