"""Engines: one module per modality, of its name, behind the protocol of `bench.engines.base`.

Importing this package costs nothing; torch and its libraries are imported when an engine is created, so
that `bench --help` and everything that only reads records stay quick.

    from bench.engines import create
    engine = create(spec)
    ready = engine.load()
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Literal, Protocol, cast

from bench.core import modalities
from bench.core.peaks import DevicePeaks
from bench.dependencies import install_command
from bench.engines.base import Engine, EngineSpec
from bench.engines.device.step_load import SquareLoad
from bench.engines.roofline.demand import Demand
from bench.engines.roofline.peak_sizes import PeakSizes
from bench.errors import EngineError

__all__ = ["create", "create_square_load", "demand_of_pass", "measure_peaks"]


class EngineModule(Protocol):
    """Contents of `bench/engines/<modality>.py`, or of the module that an entry point names."""

    def create(self, spec: EngineSpec) -> Engine:
        """The engine for `spec`, whose options are of this modality, not loaded yet."""


def create(spec: EngineSpec) -> Engine:
    """The engine for `spec`, not loaded yet: a module here, or an entry point of another package.

    Raises EngineError where torch, its libraries or what else the engine imports is missing.
    """
    name = modalities.of_options(spec.options).name
    with _installed():
        added = next(iter(entry_points(group=modalities.ENGINES, name=name)), None)
        module = added.load() if added else importlib.import_module(f"{__name__}.{name}")
        return cast(EngineModule, module).create(spec)


def create_square_load(device: str) -> SquareLoad:
    """A generated load on a CUDA device, warmed up. Raises EngineError as `create` does."""
    with _installed():
        from bench.engines.device.cuda_load import CudaLoad

        return CudaLoad(device)


def measure_peaks(device: str, sizes: PeakSizes) -> DevicePeaks:
    """Measure the peaks of a device. Raises EngineError as `create` does."""
    with _installed():
        from bench.engines.roofline.peaks import measure

        return measure(device, sizes)


def demand_of_pass(
    network: Literal["denoiser", "vae"],
    architecture: str,
    batch: int,
    width: int,
    height: int,
    dtype: str,
    text_tokens: int | None = None,
) -> Demand:
    """Bytes and operations of one pass of an image model's network. Raises EngineError as `create` does."""
    with _installed():
        from bench.engines.roofline import counting

        if network == "vae":
            return counting.vae_decode(architecture, batch, width, height, dtype)
        return counting.denoiser_pass(architecture, batch, width, height, dtype, text_tokens)


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        # transformers names no package where one of its own modules finds none.
        lacking = f"The package {package}" if package else "A package of the extra `run`"
        raise EngineError(
            f"{lacking} is not installed, and running a model needs it.",
            f"Install it with: {install_command(package or 'run')}",
            missing=True,
        ) from error
