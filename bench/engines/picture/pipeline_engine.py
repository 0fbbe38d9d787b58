"""Base of an engine with one diffusion pipeline: loads it, and watches its networks for phases.

class VideoEngine(PipelineEngine[VideoOptions, LoadedPipeline]):
    def _load(self) -> LoadedPipeline: ...
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from bench.core.diffusion import DiffusionOptions
from bench.engines.base import EngineSpec, LoadedModel
from bench.engines.device import placed
from bench.engines.device.failures import translated
from bench.engines.device.one_model import OneModelEngine
from bench.engines.device.phases import PipelineWatch
from bench.engines.device.read_back import loaded_model
from bench.engines.picture.pipelines import LoadedPipeline

Options = TypeVar("Options", bound=DiffusionOptions)
Pipeline = TypeVar("Pipeline", bound=LoadedPipeline)


class PipelineEngine(OneModelEngine[Pipeline], Generic[Options, Pipeline]):
    """One diffusion pipeline on its devices; `_watch` has the phases of the batch last made."""

    def __init__(self, spec: EngineSpec, options: Options) -> None:
        super().__init__(spec)
        self._options = options
        self._watch = PipelineWatch(spec.devices)

    @abstractmethod
    def _load(self) -> Pipeline:
        """The pipeline on its devices, ready to be called."""

    def load(self) -> LoadedModel:
        """Bring the pipeline onto the devices. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), placed.quiet():
            loaded = self._load()
            self._watch.attach(loaded.pipe, loaded.encoders, loaded.denoiser)
            placed.synchronise(self._spec.devices)
        self._loaded = loaded
        load_s = time.monotonic() - start
        return loaded_model(self._spec, loaded.modules, loaded.used, loaded.revision, load_s)

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the prompt with the most characters: pipelines pad every prompt to one length."""
        return max(range(len(prompts)), key=lambda index: len(prompts[index]))

    def _forget(self) -> None:
        self._watch = PipelineWatch(self._spec.devices)
