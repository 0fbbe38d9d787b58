"""Speech to text with Whisper (transformers), in exactly the number of tokens asked for.

Inside the window: the log-mel spectrogram on the CPU, the encoder, decoding, token ids on the host. Outside:
making the speech (once, when the model is loaded) and counting. Whisper hears 30 s at a time and pads what is
shorter: `could_hear_s` is how much could have been heard for the same work of the encoder.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.core.modalities.recognition import RecognitionOptions
from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck
from bench.engines.device import placed
from bench.engines.device.failures import translated
from bench.engines.device.one_model import OneModelEngine
from bench.engines.device.phases import FirstScores, Stages
from bench.engines.device.read_back import loaded_model
from bench.engines.device.saved_texts import save_texts
from bench.engines.sound import whisper
from bench.engines.sound.clips import Wave
from bench.engines.sound.spoken import spoken


@dataclass(frozen=True)
class Transcripts:
    """Output of `generate` for `inspect`: of each item token ids, text, and whether scores were NaN."""

    token_ids: list[list[int]]
    texts: tuple[str, ...]
    nan_scores: tuple[bool, ...]


def create(spec: EngineSpec) -> RecognitionEngine:
    """The engine for a spec with `RecognitionOptions`."""
    assert isinstance(spec.options, RecognitionOptions), "chosen by the type of the options"
    return RecognitionEngine(spec, spec.options)


class RecognitionEngine(OneModelEngine[whisper.LoadedWhisper]):
    """One Whisper on its device."""

    def __init__(self, spec: EngineSpec, options: RecognitionOptions) -> None:
        super().__init__(spec)
        self._options = options
        self._stages = Stages(spec.devices)
        self._speech: dict[str, Wave] = {}

    def load(self) -> LoadedModel:
        """Bring the model onto its device. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), placed.quiet():
            placed.require_one(self._spec.devices, self._spec.model)
            loaded = whisper.load(self._spec, self._options)
            self._stages.watch(loaded.model.get_encoder(), "encoder")
            self._stages.watch(loaded.model.get_decoder(), "decode")
            placed.synchronise(self._spec.devices)
        self._loaded = loaded
        load_s = time.monotonic() - start
        return loaded_model(self._spec, {"model": loaded.model}, loaded.used, loaded.revision, load_s)

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the first: all are equally long. Their speech is made here, before any window."""
        for prompt in prompts:
            self._heard(prompt)
        return 0

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:  # noqa: ARG002 - greedy
        """One transcript a prompt, all of them as one batch. Raises EngineError(stage="generate")."""
        loaded = self._ready()
        waves = [self._heard(prompt) for prompt in prompts]
        with translated("generate", self._spec), placed.quiet(), torch.inference_mode():
            start_ns = self._stages.start()
            self._stages.enter("spectrogram")
            first = FirstScores()
            ids = loaded.write_down(loaded.spectrogram(waves), first)
            end_ns = self._stages.finish()
            texts = tuple(loaded.text(item) for item in ids)
        done = Transcripts(ids, texts, first.nan_items())
        return GeneratedBatch(start_ns, end_ns, len(prompts), self._stages.clock.phases(), done)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Seconds heard and tokens of each transcript. Raises EngineError(stage="finish")."""
        done: Transcripts = made.payload
        tokens = tuple(len(ids) for ids in done.token_ids)
        problems = []
        for i, count in enumerate(tokens):
            if count != self._options.new_tokens:
                problems.append(f"Item {i} has {count} tokens, {self._options.new_tokens} were asked for.")
            if done.nan_scores[i]:
                problems.append(f"Item {i}: the model's scores are NaN.")
        heard = (self._options.seconds,) * made.items
        return OutputCheck(tokens, None, None, tuple(problems), seconds=heard)

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each transcript as `<stem>-<i>.txt`."""
        done: Transcripts = made.payload
        return save_texts(done.texts, folder, stem)

    def _forget(self) -> None:
        self._stages = Stages(self._spec.devices)
        self._speech.clear()

    def _heard(self, prompt: str) -> Wave:
        if prompt not in self._speech:
            self._speech[prompt] = spoken(prompt, self._options.seconds, self._ready().rate_hz)
        return self._speech[prompt]
