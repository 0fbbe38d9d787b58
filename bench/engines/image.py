"""Images from a diffusion pipeline (diffusers), with text encoder, denoiser and VAE as phases.

Inside the window: tokenising and encoding the prompts, encoding the input picture of an edit, all denoising
steps, the VAE, and the finished 8-bit pixels on the host. Outside: PNG files, and looking at what the pixels
hold. The phases are stamped from hooks on the pipeline's own networks, with one wait for the devices at an
edge and without a wait between two steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from bench.core.modalities.image import ImageOptions
from bench.engines.base import Engine, EngineSpec, GeneratedBatch, OutputCheck
from bench.engines.device import placed
from bench.engines.device.failures import translated
from bench.engines.picture import image_loading, network_loading, pictures
from bench.engines.picture.image_network import NetworkEngine
from bench.engines.picture.pictures import Pictures
from bench.engines.picture.pipeline_engine import PipelineEngine


def create(spec: EngineSpec) -> Engine:
    """The engine for a spec with `ImageOptions`: a diffusion pipeline, or one network in one pass."""
    assert isinstance(spec.options, ImageOptions), "chosen by the type of the options"
    if network_loading.is_one_network(spec, spec.options):
        return NetworkEngine(spec, spec.options)
    return ImageEngine(spec, spec.options)


class ImageEngine(PipelineEngine[ImageOptions, image_loading.LoadedImagePipeline]):
    """One diffusion pipeline on its devices."""

    def _load(self) -> image_loading.LoadedImagePipeline:
        return image_loading.load(self._spec, self._options)

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """One image a prompt, all of them as one batch; item i starts from noise of seed + i.

        Raises EngineError(stage="generate").
        """
        loaded = self._ready()
        with translated("generate", self._spec), placed.quiet():
            watch = self._watch
            watch.clear()
            start_ns = watch.clock.now()
            place = loaded.pipe._execution_device
            generators = [torch.Generator(place).manual_seed(seed + i) for i in range(len(prompts))]
            images = loaded.pipe(**loaded.inputs(prompts), generator=generators, **loaded.call).images
            on_host = pictures.as_bytes(images)
            finite = watch.finite_items()
            end_ns = watch.clock.now()
        made = Pictures(on_host, finite, watch.denoiser_calls)
        return GeneratedBatch(start_ns, end_ns, len(prompts), watch.clock.phases(), made)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Look for invalid pixels. Raises EngineError(stage="finish")."""
        least = self._ready().least_calls
        found = pictures.problems(made.payload, made.items, self._options, self._spec, least)
        return OutputCheck(problems=tuple(found))

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each image as `<stem>-<i>.png`."""
        return pictures.save(made.payload, folder, stem)
