"""Memory that a batch takes beside the weights at least, from the shapes of a model's networks.

    memory_of(options, architectures.load("sdxl"), batch=8, number_bytes=2).activation_bytes

A file of its name for each modality of which this is known: `memory_of` with the same arguments.
Files are found, not listed. Nothing here imports torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import NamedTuple, Protocol, cast

from bench.core import modalities
from bench.core.modality import Options
from bench.engines.weights.architectures import Architecture


class BatchMemory(NamedTuple):
    """Least memory of a batch, and what quantising leaves of the weights; 0 where little or not known."""

    cache_bytes: int = 0
    """Keys and values of the tokens that are written, in all layers."""
    activation_bytes: int = 0
    """Of the largest layer: what it has to keep at once, so a case that exceeds it cannot run."""
    unquantized_numbers: int = 0
    """Numbers of the weights that stay in the dtype of the case."""


class MemoryModule(Protocol):
    """Contents of a file of this folder that has the name of a modality."""

    def memory_of(self, options: Options, shape: Architecture, batch: int, number_bytes: int) -> BatchMemory:
        """Memory of a batch of a model of this shape."""


@cache
def _files() -> frozenset[str]:
    return frozenset(file.name for file in pkgutil.iter_modules(__path__))


def memory_of(options: Options, shape: Architecture, batch: int, number_bytes: int) -> BatchMemory:
    """Memory of a batch; nothing for a modality that has no file here."""
    name = modalities.of_options(options).name
    if name not in _files():
        return BatchMemory()
    module = cast(MemoryModule, importlib.import_module(f"{__name__}.{name}"))
    return module.memory_of(options, shape, batch, number_bytes)
