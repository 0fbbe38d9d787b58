"""Amounts of work by which peaks are measured; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PeakSizes:
    """Amounts moved and multiplied. `buffer_bytes` is one of two arrays; rounds take `round_s` each."""

    buffer_bytes: int
    matrix_sides: tuple[int, ...]
    rounds: int = 7
    round_s: float = 0.25

    @classmethod
    def for_device(cls, device: str) -> PeakSizes:
        """Far larger than any cache; on a CPU, what takes seconds and not minutes."""
        if device.startswith("cuda"):
            return cls(4 * 2**30, (4096, 8192, 16384))
        return cls(256 * 2**20, (1024,), rounds=3, round_s=0.1)
