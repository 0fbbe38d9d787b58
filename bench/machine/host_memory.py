"""Host memory of one machine that cases take while they run side by side, as it is forecast for each.

    memory = HostMemory(total_bytes)
    if memory.takes(need_bytes):      # False while this and those that have begun need more than there is
        ...
        memory.give_back(need_bytes)

A case that needs more than all of it may begin alone, as it may without others.
"""

from __future__ import annotations


class HostMemory:
    """Memory that a run's cases share; forecast, not measured."""

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self.taken_bytes = 0
        self._cases = 0

    def fits(self, need_bytes: int) -> bool:
        """Whether a case may begin now."""
        return not self._cases or self.taken_bytes + need_bytes <= self.total_bytes

    def takes(self, need_bytes: int) -> bool:
        """Take it for a case; `False` where that has to wait."""
        if not self.fits(need_bytes):
            return False
        self._cases += 1
        self.taken_bytes += need_bytes
        return True

    def give_back(self, need_bytes: int) -> None:
        """A case has ended."""
        self._cases -= 1
        self.taken_bytes -= need_bytes
