"""Ceilings as plain values that travel through a pipe; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sizes:
    """Amounts moved and multiplied. `buffer_bytes` is one of two arrays; rounds take `round_s` each."""

    buffer_bytes: int
    matrix_sides: tuple[int, ...]
    rounds: int = 7
    round_s: float = 0.25

    @classmethod
    def for_device(cls, device: str) -> Sizes:
        """Far larger than any cache; on a CPU, what takes seconds and not minutes."""
        if device.startswith("cuda"):
            return cls(4 * 2**30, (4096, 8192, 16384))
        return cls(256 * 2**20, (1024,), rounds=3, round_s=0.1)


@dataclass(frozen=True)
class ReachedCeilings:
    """Measured ceilings of one device. `device` is a UUID or `cpu`; `matrix_tflops` is by dtype."""

    device: str
    name: str
    sizes: Sizes
    copy_gb_per_s: float
    read_gb_per_s: float
    matrix_tflops: dict[str, float]
    cpu_threads: int
    float32_matmul: str
    libraries: dict[str, str]
    absent: dict[str, str] = field(default_factory=dict)
