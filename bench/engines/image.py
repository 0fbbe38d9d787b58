"""Images from a diffusion pipeline (diffusers), with the text encoder, denoiser and VAE told apart.

Inside the window: tokenising and encoding the prompts, all denoising steps, the VAE, and the finished 8-bit
pixels on the host. Outside: PNG files, and looking at what the pixels hold. The phases are stamped from hooks
on the pipeline's own networks, one wait for the devices at an edge and none between two steps.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from bench.core.modalities.image import ImageOptions
from bench.engines import device, image_loading
from bench.engines.base import EngineSpec, Inspected, Made, Ready
from bench.engines.failures import translated
from bench.engines.phases import PipelineWatch
from bench.errors import EngineError


@dataclass(frozen=True)
class Pictures:
    """What `generate` hands to `inspect`.

    `pixels` is uint8 of shape (items, height, width, 3). `finite` tells for each item whether the VAE's
    output was free of NaN and infinity, which 8-bit pixels no longer show. `denoiser_calls` counts forward
    passes of the denoiser over the batch.
    """

    pixels: npt.NDArray[np.uint8]
    finite: tuple[bool, ...]
    denoiser_calls: int


def create(spec: EngineSpec) -> ImageEngine:
    """The engine for a spec with `ImageOptions`."""
    assert isinstance(spec.options, ImageOptions), "chosen by the type of the options"
    return ImageEngine(spec, spec.options)


class ImageEngine:
    """One diffusion pipeline on its devices."""

    def __init__(self, spec: EngineSpec, options: ImageOptions) -> None:
        self._spec = spec
        self._options = options
        self._loaded: image_loading.LoadedPipeline | None = None
        self._watch = PipelineWatch(spec.devices)

    def load(self) -> Ready:
        """Bring the pipeline onto the devices. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), device.quiet():
            loaded = image_loading.load(self._spec, self._options)
            self._watch.attach(loaded.pipe, loaded.encoders, loaded.denoiser)
            device.synchronise(self._spec.devices)
        self._loaded = loaded
        parts = loaded.modules
        return Ready(
            parameters={name: device.parameter_count(part) for name, part in parts.items()},
            dtypes={name: device.dtype_name(part) for name, part in parts.items()},
            used=loaded.used,
            revision=loaded.revision,
            device_uuids=device.device_uuids(self._spec.devices),
            memory_bytes=device.memory_bytes(parts.values(), self._spec.devices),
            load_s=time.monotonic() - start,
            libraries=device.libraries(),
        )

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the prompt with the most characters: pipelines pad every prompt to one length."""
        return max(range(len(prompts)), key=lambda index: len(prompts[index]))

    def generate(self, prompts: Sequence[str], seed: int) -> Made:
        """One image a prompt, all of them as one batch; item i starts from noise of seed + i.

        Raises EngineError(stage="generate").
        """
        loaded = self._ready()
        with translated("generate", self._spec), device.quiet():
            watch = self._watch
            watch.clear()
            start_ns = watch.clock.now()
            place = loaded.pipe._execution_device
            generators = [torch.Generator(place).manual_seed(seed + i) for i in range(len(prompts))]
            images = loaded.pipe(prompt=list(prompts), generator=generators, **loaded.call).images
            pixels = (images * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
            on_host = pixels.contiguous().cpu().numpy()
            finite = watch.finite_items()
            end_ns = watch.clock.now()
        pictures = Pictures(on_host, finite, watch.denoiser_calls)
        return Made(start_ns, end_ns, len(prompts), watch.clock.phases(), pictures)

    def inspect(self, made: Made) -> Inspected:
        """Look for pixels that are no picture. Raises EngineError(stage="finish")."""
        pictures: Pictures = made.payload
        options = self._options
        wanted = (made.items, options.height, options.width, 3)
        problems = []
        if pictures.pixels.shape != wanted:
            problems.append(f"The pixels have shape {pictures.pixels.shape}, {wanted} was asked for.")
        if pictures.denoiser_calls < options.steps:
            problems.append(
                f"The denoiser ran {pictures.denoiser_calls} times, {options.steps} were asked for."
            )
        for i, item in enumerate(pictures.pixels):
            if not pictures.finite[i]:
                problems.append(f"Item {i}: the picture holds NaN or infinity.")
            elif self._spec.weights.kind != "random" and bool((item == item[0, 0]).all()):
                problems.append(f"Item {i} is of one colour all over.")
        return Inspected(problems=tuple(problems))

    def save(self, made: Made, folder: Path, stem: str) -> list[Path]:
        """Write each image as `<stem>-<i>.png`."""
        pictures: Pictures = made.payload
        paths = []
        for i, item in enumerate(pictures.pixels):
            paths.append(folder / f"{stem}-{i}.png")
            Image.fromarray(item).save(paths[-1])
        return paths

    def unload(self) -> None:
        """Free the devices."""
        self._watch = PipelineWatch(self._spec.devices)
        self._loaded = None
        gc.collect()
        device.empty_caches()

    def _ready(self) -> image_loading.LoadedPipeline:
        if self._loaded is None:
            raise EngineError(f"{self._spec.model} is not loaded.", "Call load first.", stage="generate")
        return self._loaded
