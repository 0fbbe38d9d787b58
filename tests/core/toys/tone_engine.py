"""A sine wave for each prompt, as an engine of tones: no model, no torch."""

from __future__ import annotations

import time
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench.core.modalities.tone import ToneOptions  # type: ignore[import-untyped]

from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck, PhaseEdges
from bench.errors import EngineError

CHUNK_S = 0.05


def create(spec: EngineSpec) -> SineEngine:
    """The engine for a spec with `ToneOptions`."""
    if spec.weights.kind != "random":
        raise EngineError(f"{spec.model} has no weights.", "Use --weights random.")
    return SineEngine(spec.options)


class SineEngine:
    """One oscillator; the pitch follows the prompt's length."""

    def __init__(self, options: ToneOptions) -> None:
        self._options = options

    def load(self) -> LoadedModel:
        used = {"rate_hz": self._options.rate_hz}
        return LoadedModel({"oscillator": 1}, {"oscillator": "float32"}, used, None, (), None, 0.0)

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        return max(range(len(prompts)), key=lambda index: len(prompts[index]))

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        start_ns = time.monotonic_ns()
        tones = [self._tone(200.0 + len(prompt) + seed % 7) for prompt in prompts]
        end_ns = time.monotonic_ns()
        return GeneratedBatch(
            start_ns, end_ns, len(prompts), (PhaseEdges("synthesis", start_ns, end_ns),), tones
        )

    def _tone(self, pitch_hz: float) -> npt.NDArray[np.float32]:
        count = round(self._options.seconds * self._options.rate_hz)
        size = round(CHUNK_S * self._options.rate_hz) if self._options.in_chunks else count
        parts = []
        for begin in range(0, count, size):
            at_s = np.arange(begin, min(begin + size, count)) / self._options.rate_hz
            parts.append(np.sin(2 * np.pi * pitch_hz * at_s).astype(np.float32))
        tone = np.concatenate(parts)
        return np.stack([tone, tone], axis=1) if self._options.stereo else tone[:, None]

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        seconds = tuple(len(tone) / self._options.rate_hz for tone in made.payload)
        silent = [f"Item {i} is silent." for i, tone in enumerate(made.payload) if not np.abs(tone).max() > 0]
        return OutputCheck(seconds=seconds, problems=tuple(silent))

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        paths = []
        for i, tone in enumerate(made.payload):
            paths.append(folder / f"{stem}-{i}.wav")
            with wave.open(str(paths[-1]), "wb") as file:
                file.setparams((tone.shape[1], 2, self._options.rate_hz, len(tone), "NONE", ""))
                file.writeframes((tone * 32767).astype("<i2").tobytes())
        return paths

    def unload(self) -> None:
        """There is nothing to free."""
