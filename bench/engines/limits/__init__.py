"""Limits of models on the options of a case, checked without loading anything.

    check(spec, "tiny-wan")         # EngineError: WanPipeline makes 4n+1 frames, and 10 are asked for.

A file for each modality whose models have limits, of its name: `check(spec, shape)`. The numbers are those of
the architecture that the catalogue has for a model; a folder of weights may have others, so its limits are
checked when it is loaded, by the same functions: `check_*` only raises, `*_of` returns what it computed.
Nothing here imports torch.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast

from bench.core import modalities
from bench.core.modality import TorchOptions
from bench.engines.base import EngineSpec
from bench.engines.limits import torch_options
from bench.engines.weights import architectures
from bench.engines.weights.architectures import Architecture


class LimitsModule(Protocol):
    """Contents of a file of this folder that has the name of a modality."""

    def check(self, spec: EngineSpec, shape: Architecture | None) -> None:
        """Raise EngineError for options that a model of this shape, if it is known, cannot do."""


@cache
def _files() -> frozenset[str]:
    return frozenset(file.name for file in pkgutil.iter_modules(__path__))


def check(spec: EngineSpec, architecture: str | None) -> None:
    """Raise EngineError for options that the model cannot do. `architecture` is its name in the catalogue."""
    if isinstance(spec.options, TorchOptions):
        torch_options.check(spec.options, spec.devices)
    name = modalities.of_options(spec.options).name
    if name not in _files():
        return
    known = architecture is not None and spec.weights.kind != "path"
    shape = architectures.load(architecture) if architecture and known else None
    cast(LimitsModule, importlib.import_module(f"{__name__}.{name}")).check(spec, shape)
