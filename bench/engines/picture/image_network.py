"""Images from one network in one pass: a GAN's generator, or a feed-forward network that repaints a picture.

Inside the window: noise or pictures to the device, the pass, and the finished 8-bit pixels on the host.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bench.core.modalities.image import ImageOptions
from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck
from bench.engines.device import placed
from bench.engines.device.failures import translated
from bench.engines.device.one_model import OneModelEngine
from bench.engines.device.phases import PhaseClock
from bench.engines.device.read_back import loaded_model
from bench.engines.picture import drawn, network_loading, pictures
from bench.engines.picture.pictures import Pictures
from bench.errors import EngineError

NUMBERS = 4
"""Different input pictures that are drawn."""


class NetworkEngine(OneModelEngine[network_loading.LoadedNetwork]):
    """One network on its device."""

    def __init__(self, spec: EngineSpec, options: ImageOptions) -> None:
        super().__init__(spec)
        self._options = options
        self._clock = PhaseClock(spec.devices)
        self._pictures: tuple[torch.Tensor, ...] = ()
        self._style: torch.Tensor | None = None

    def load(self) -> LoadedModel:
        """Bring the network onto the device. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), placed.quiet():
            loaded = network_loading.load(self._spec, self._options)
            self._draw(loaded)
            for name, part in loaded.stages.items():
                part.register_forward_pre_hook(lambda *_, name=name: self._clock.begin(name))
                part.register_forward_hook(lambda *_, name=name: self._clock.finish(name))
            placed.synchronise(self._spec.devices)
        self._loaded = loaded
        used = loaded.used | self._style_facts(loaded)
        load_s = time.monotonic() - start
        return loaded_model(self._spec, {"network": loaded.module}, used, loaded.revision, load_s)

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """The first: prompts only choose among the input pictures, all of one size."""
        del prompts
        return 0

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """One image a prompt, all of them as one batch; item i starts from noise of seed + i.

        Raises EngineError(stage="generate").
        """
        loaded = self._ready()
        with translated("generate", self._spec), placed.quiet(), torch.inference_mode():
            clock = self._clock
            clock.clear()
            start_ns = clock.now()
            images = loaded.network(*self._inputs(loaded, prompts, seed))
            finite = torch.isfinite(images).flatten(1).all(dim=1)
            on_host = pictures.as_bytes(images.float())
            found = tuple(bool(each) for each in finite.tolist())
            end_ns = clock.now()
        return GeneratedBatch(start_ns, end_ns, len(prompts), clock.phases(), Pictures(on_host, found, 1))

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Look for invalid pixels. Raises EngineError(stage="finish")."""
        return OutputCheck(
            problems=tuple(pictures.problems(made.payload, made.items, self._options, self._spec))
        )

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each image as `<stem>-<i>.png`."""
        return pictures.save(made.payload, folder, stem)

    def _inputs(
        self, loaded: network_loading.LoadedNetwork, prompts: Sequence[str], seed: int
    ) -> tuple[torch.Tensor, ...]:
        """The network's inputs for a batch, on the device."""
        place, dtype = self._spec.devices[0], getattr(torch, self._spec.dtype)
        if loaded.takes == "noise":
            rows = [
                torch.randn(
                    loaded.latent, generator=torch.Generator(place).manual_seed(seed + i), device=place
                )
                for i in range(len(prompts))
            ]
            return (torch.stack(rows).to(dtype),)
        chosen = torch.stack([self._pictures[len(prompt) % NUMBERS] for prompt in prompts])
        inputs = [chosen] if self._style is None else [chosen, self._style.expand(len(prompts), -1, -1, -1)]
        return tuple(each.to(place, dtype) for each in inputs)

    def _draw(self, loaded: network_loading.LoadedNetwork) -> None:
        """Draw what goes in, before anything is measured. Raises EngineError for a style it cannot use."""
        width, height = self._options.width, self._options.height
        named = self._options.style_picture
        if named is not None and loaded.takes != "picture and style":
            raise EngineError(
                f"{self._spec.model} takes no style picture: its style is in its weights, or it has none.",
                "Leave out --style-picture, or use the model adain.",
            )
        if loaded.takes == "noise":
            return
        self._pictures = tuple(_tensor(drawn.source(width, height, number)) for number in range(NUMBERS))
        if loaded.takes == "picture and style":
            style = drawn.style(width, height) if named is None else drawn.opened(Path(named))
            self._style = _tensor(style.resize((width, height)))

    def _style_facts(self, loaded: network_loading.LoadedNetwork) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        if self._pictures:
            facts["input_picture"] = f"drawn {self._options.width}x{self._options.height}"
        if loaded.takes == "picture and style":
            facts["style_picture"] = "drawn" if self._options.style_picture is None else "a file"
        return facts


def _tensor(picture: Any) -> torch.Tensor:
    """Numbers from 0 to 1 of shape (3, height, width)."""
    flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return flat.reshape(picture.height, picture.width, 3).permute(2, 0, 1).contiguous() / 255
