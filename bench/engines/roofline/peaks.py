"""Peaks of a device, measured: bytes moved per second, and operations of a matrix product per second.

Data sheets name rates that no kernel reaches. These are what torch's copy, sum and matrix product reach on
random numbers (zeros would flatter: fewer transistors toggle), the best of several rounds, each waited for.

    measure("cuda:0", PeakSizes.for_device("cuda:0"))     # DevicePeaks(copy_gb_per_s=4200.0, ...)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import torch

from bench.core.peaks import DevicePeaks
from bench.core.provenance import Provenance
from bench.engines.device.placed import (
    device_name,
    device_uuids,
    float32_matmul,
    libraries,
    require,
    synchronise,
)
from bench.engines.roofline.peak_sizes import PeakSizes
from bench.errors import EngineError

_DTYPES = ("bfloat16", "float16", "float32")


@dataclass(frozen=True)
class _Timer:
    """Times a kernel on one device: rounds of several launches, of which the quickest counts."""

    device: str
    sizes: PeakSizes

    def best_s(self, kernel: Callable[[], object]) -> float:
        """Seconds of one launch in the quickest round."""
        kernel()
        launches = max(1, round(self.sizes.round_s / self._timed(kernel, 1)))
        return min(self._timed(kernel, launches) for _ in range(self.sizes.rounds)) / launches

    def _timed(self, kernel: Callable[[], object], launches: int) -> float:
        synchronise((self.device,))
        begun = time.perf_counter()
        for _ in range(launches):
            kernel()
        synchronise((self.device,))
        return time.perf_counter() - begun


def measure(device: str, sizes: PeakSizes) -> DevicePeaks:
    """The peaks of one device. Raises EngineError where it is not there or has no room for the load."""
    require((device,))
    timer = _Timer(device, sizes)
    absent: dict[str, str] = {}
    try:
        copy, read = _bandwidths(timer)
        rates = {}
        for dtype in _DTYPES:
            try:
                rates[dtype] = _matrix_rate(timer, dtype)
            except RuntimeError as error:
                if isinstance(error, torch.OutOfMemoryError):
                    raise
                absent[dtype] = f"torch cannot multiply it here: {' '.join(str(error).split())[:120]}"
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise EngineError(
            f"{device} has no room for two arrays of {sizes.buffer_bytes / 1e9:g} GB.",
            "End what else uses it.",
            out_of_memory=True,
        ) from error
    uuids = device_uuids((device,))
    return DevicePeaks(
        device=uuids[0] if uuids else "cpu",
        name=device_name(device),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        copy_gb_per_s=copy,
        read_gb_per_s=read,
        matrix_tflops=rates,
        buffer_bytes=sizes.buffer_bytes,
        matrix_sides=list(sizes.matrix_sides),
        cpu_threads=torch.get_num_threads(),
        float32_matmul=float32_matmul(),
        provenance=Provenance(libraries=libraries()),
        absent=absent,
    )


def _bandwidths(timer: _Timer) -> tuple[float, float]:
    """GB a second of a copy (each byte read and written), and of a sum (each byte read)."""
    numbers = timer.sizes.buffer_bytes // 4
    source = torch.randn(numbers, device=timer.device)
    target = torch.empty_like(source)
    copied_s = timer.best_s(lambda: target.copy_(source))
    read_s = timer.best_s(lambda: torch.sum(source))
    return 2 * 4 * numbers / copied_s / 1e9, 4 * numbers / read_s / 1e9


def _matrix_rate(timer: _Timer, dtype: str) -> float:
    """10¹² operations a second of the best square product among the sizes."""
    wanted: torch.dtype = getattr(torch, dtype)
    rates = []
    for side in timer.sizes.matrix_sides:
        one, other = (torch.randn(side, side, device=timer.device).to(wanted) for _ in range(2))
        product = torch.empty_like(one)
        seconds = timer.best_s(lambda a=one, b=other, out=product: torch.mm(a, b, out=out))  # type: ignore[misc]
        rates.append(2 * side**3 / seconds / 1e12)
    return max(rates)
