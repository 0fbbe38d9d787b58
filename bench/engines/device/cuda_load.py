"""A square load on a CUDA device: matrix products, copies for its middle level, sleep for none.

    load = CudaLoad("cuda:0")
    load.run("high", 0.5)         # returns when the device is idle again

Kernels are launched in short bursts and waited for, so that an edge is known to about `BURST_S`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from bench.core.calibration import LoadLevel
from bench.engines.device.placed import device_uuids, require, synchronise
from bench.errors import EngineError

SIDE = 4096
"""Of the square matrices: large enough to fill a card, small enough for a product in milliseconds."""
MOVED_NUMBERS = 64 * 2**20
"""Of the arrays that the middle level moves: far larger than any cache."""
BURST_S = 0.002
WARM_UP_S = 1.0


class CudaLoad:
    """Random numbers on one card, and the two things done with them."""

    def __init__(self, device: str) -> None:
        require((device,))
        self._devices = (device,)
        try:
            self._factors = [torch.randn(SIDE, SIDE, device=device).half() for _ in range(2)]
            self._product = torch.empty_like(self._factors[0])
            self._moved = [torch.randn(MOVED_NUMBERS, device=device).half() for _ in range(2)]
        except torch.OutOfMemoryError as error:
            raise EngineError(
                "The card's memory is too small for the load, which takes less than 1 GB.",
                "End what else uses the card.",
                out_of_memory=True,
            ) from error
        kernels: dict[LoadLevel, Callable[[], object]] = {"high": self._multiply, "middle": self._move}
        self._bursts = {level: (kernel, self._launches(kernel)) for level, kernel in kernels.items()}

    @property
    def uuid(self) -> str:
        """The card, as NVML names it."""
        return device_uuids(self._devices)[0]

    def run(self, level: LoadLevel, seconds: float) -> None:
        """Work at a level for so long; returns when the device is done."""
        if level == "idle":
            time.sleep(seconds)
            return
        kernel, launches = self._bursts[level]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(launches):
                kernel()
            synchronise(self._devices)

    def _multiply(self) -> None:
        torch.mm(self._factors[0], self._factors[1], out=self._product)

    def _move(self) -> None:
        self._moved[0].copy_(self._moved[1])

    def _launches(self, kernel: Callable[[], object]) -> int:
        """Number of launches of a kernel for a burst, found while warming it up."""
        begun, count = time.monotonic(), 0
        while time.monotonic() < begun + WARM_UP_S:
            kernel()
            synchronise(self._devices)
            count += 1
        return max(1, round(BURST_S * count / (time.monotonic() - begun)))
