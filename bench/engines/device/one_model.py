"""Base of an engine with one loaded model: asks for it, and lets go of it.

class TextEngine(OneModelEngine[LoadedTextModel]):
    def generate(self, prompts, seed):
        loaded = self._ready()
"""

from __future__ import annotations

import gc
from typing import Generic, TypeVar

from bench.engines.base import EngineSpec
from bench.engines.device import placed
from bench.errors import EngineError

Held = TypeVar("Held")


class OneModelEngine(Generic[Held]):
    """What engines of one model share; `load` sets `_loaded`."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._loaded: Held | None = None

    def unload(self) -> None:
        """Free the devices."""
        self._loaded = None
        self._forget()
        gc.collect()
        placed.empty_caches()

    def _forget(self) -> None:
        """Drop what else refers to the model, such as hooks on its networks."""

    def _ready(self) -> Held:
        if self._loaded is None:
            raise EngineError(f"{self._spec.model} is not loaded.", "Call load first.", stage="generate")
        return self._loaded
