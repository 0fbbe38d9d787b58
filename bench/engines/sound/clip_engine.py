"""The engine of all that makes clips of audio from a text: music, sound and speech.

Inside the window: tokenising the prompts, every network, and the finished samples on the host as 32-bit
numbers. Outside: WAV files, and checks of the samples. What differs from family to family is a
`Maker`; its phases are stamped where a network of the next one is called for the first time in a batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck
from bench.engines.device import placed
from bench.engines.device.failures import translated
from bench.engines.device.one_model import OneModelEngine
from bench.engines.device.phases import Stages
from bench.engines.device.read_back import loaded_model
from bench.engines.sound import clips
from bench.engines.sound.clips import Clips


@dataclass(frozen=True)
class Maker:
    """A loaded model that makes clips.

    `make` takes prompts and a seed, and returns samples of shape (items, channels, length). `frame_s` is the
    shortest stretch that the model can add to a clip. `steps` is how often the denoiser has to run.
    """

    make: Callable[[Sequence[str], int], torch.Tensor]
    modules: Mapping[str, nn.Module]
    tokens: Callable[[str], int]
    rate_hz: int
    frame_s: float
    revision: str
    used: dict[str, Any] = field(default_factory=dict)
    steps: int = 0


LoadClipMaker = Callable[[EngineSpec, Stages], Maker]


class ClipEngine(OneModelEngine[Maker]):
    """One model that makes clips of `seconds`, on one device."""

    def __init__(self, spec: EngineSpec, seconds: float, load: LoadClipMaker) -> None:
        super().__init__(spec)
        self._seconds = seconds
        self._load = load
        self._stages = Stages(spec.devices)

    def load(self) -> LoadedModel:
        """Bring the model onto its device. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), placed.quiet():
            placed.require_one(self._spec.devices, self._spec.model)
            maker = self._load(self._spec, self._stages)
            placed.synchronise(self._spec.devices)
        self._loaded = maker
        used = {
            **maker.used,
            "seconds": self._seconds,
            "rate_hz": maker.rate_hz,
            "tokenizer": "stand-in" if self._spec.weights.kind == "random" else "published",
            "float32_matmul": placed.float32_matmul(),
            "cpu_threads": torch.get_num_threads(),
        }
        load_s = time.monotonic() - start
        return loaded_model(self._spec, maker.modules, used, maker.revision, load_s)

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the prompt with the most tokens."""
        with translated("load", self._spec), placed.quiet():
            counts = [self._ready().tokens(prompt) for prompt in prompts]
        return counts.index(max(counts))

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """One clip a prompt, all of them as one batch. Raises EngineError(stage="generate")."""
        maker = self._ready()
        with translated("generate", self._spec), placed.quiet(), torch.inference_mode():
            start_ns = self._stages.start()
            samples = maker.make(prompts, seed).float().cpu().numpy()
            end_ns = self._stages.finish()
        made = Clips(tuple(samples), maker.rate_hz, dict(self._stages.calls))
        return GeneratedBatch(start_ns, end_ns, len(prompts), self._stages.clock.phases(), made)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Seconds of each clip, and what is wrong with it. Raises EngineError(stage="finish")."""
        maker, done = self._ready(), made.payload
        real = self._spec.weights.kind != "random"
        found = list(clips.problems(done, self._seconds, maker.frame_s, real=real))
        if (calls := done.calls.get("denoise", 0)) < maker.steps:
            found.append(f"The denoiser ran {calls} times, {maker.steps} were asked for.")
        return OutputCheck(seconds=done.seconds, problems=tuple(found))

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each clip as `<stem>-<i>.wav`."""
        return clips.save(made.payload, folder, stem)

    def _forget(self) -> None:
        self._stages = Stages(self._spec.devices)
