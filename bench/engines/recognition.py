"""Speech to text with Whisper (transformers), in exactly the number of tokens asked for.

Inside the window: the log-mel spectrogram on the CPU, the encoder, decoding, token ids on the host. Outside:
making the speech (once, when the model is loaded) and counting. Whisper hears 30 s at a time and pads what is
shorter: `could_hear_s` says how much could have been heard for the same work of the encoder.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, GenerationMixin, LogitsProcessorList, WhisperFeatureExtractor

from bench.core.modalities.recognition import RecognitionOptions
from bench.engines import device
from bench.engines.base import EngineSpec, Inspected, Made, Ready
from bench.engines.failures import translated
from bench.engines.phases import FirstScores, Stages
from bench.engines.spoken import Wave, spoken
from bench.engines.transformers_model import LoadedModel
from bench.engines.transformers_model import load as load_model
from bench.errors import EngineError

CLASSES = ("WhisperForConditionalGeneration",)
PROMPT_TOKENS = 4
"""Start, language, task, and no timestamps: what every transcript begins with."""


@dataclass(frozen=True)
class Transcripts:
    """What `generate` hands to `inspect`: token ids of each item, its text, and whether its scores were NaN."""

    token_ids: list[list[int]]
    texts: tuple[str, ...]
    nan_scores: tuple[bool, ...]


def create(spec: EngineSpec) -> RecognitionEngine:
    """The engine for a spec with `RecognitionOptions`."""
    assert isinstance(spec.options, RecognitionOptions), "chosen by the type of the options"
    return RecognitionEngine(spec, spec.options)


class RecognitionEngine:
    """One Whisper on its device."""

    def __init__(self, spec: EngineSpec, options: RecognitionOptions) -> None:
        self._spec = spec
        self._options = options
        self._stages = Stages(spec.devices)
        self._loaded: LoadedModel | None = None
        self._extractor: Any = None
        self._prefix: list[int] = []
        self._speech: dict[str, Wave] = {}

    def load(self) -> Ready:
        """Bring the model onto its device. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), device.quiet():
            device.require_one(self._spec.devices, self._spec.model)
            loaded = load_model(self._spec, CLASSES)
            model = loaded.model
            self._extractor = _extractor(loaded)
            self._check_length(model)
            self._prefix = _prefix(loaded)
            self._stages.watch(model.get_encoder(), "encoder")
            self._stages.watch(model.get_decoder(), "decode")
            device.synchronise(self._spec.devices)
        self._loaded = loaded
        return Ready(
            parameters={"model": device.parameter_count(model)},
            dtypes={"model": device.dtype_name(model)},
            used={
                "model_class": type(model).__name__,
                "attention": model.config._attn_implementation,
                "sampling": "greedy",
                "end_of_sequence": "never chosen",
                "new_tokens": self._options.new_tokens,
                "seconds": self._options.seconds,
                "could_hear_s": float(self._extractor.chunk_length),
                "speech": "made by arithmetic",
                "tokenizer": "stand-in" if loaded.name is None else "published",
                "cpu_threads": torch.get_num_threads(),
            },
            revision=loaded.revision,
            device_uuids=device.device_uuids(self._spec.devices),
            memory_bytes=device.memory_bytes([model], self._spec.devices),
            load_s=time.monotonic() - start,
            libraries=device.libraries(),
        )

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the first: all are heard for equally long. Their speech is made here, before any window."""
        for prompt in prompts:
            self._heard(prompt)
        return 0

    def generate(self, prompts: Sequence[str], seed: int) -> Made:  # noqa: ARG002 - greedy
        """One transcript a prompt, all of them as one batch. Raises EngineError(stage="generate")."""
        loaded = self._ready()
        waves = [self._heard(prompt) for prompt in prompts]
        with translated("generate", self._spec), device.quiet(), torch.inference_mode():
            start_ns = self._stages.start()
            self._stages.enter("spectrogram")
            features = self._extractor(waves, sampling_rate=self._extractor.sampling_rate, return_tensors="pt")
            first = FirstScores()
            ids = self._write_down(loaded.model, features["input_features"], len(prompts), first)
            end_ns = self._stages.finish()
            texts = tuple(loaded.tokenizer.decode(item, skip_special_tokens=True) for item in ids)
        done = Transcripts(ids, texts, first.nan_items())
        return Made(start_ns, end_ns, len(prompts), self._stages.clock.phases(), done)

    def inspect(self, made: Made) -> Inspected:
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
        return Inspected(tokens, None, None, tuple(problems), seconds=heard)

    def save(self, made: Made, folder: Path, stem: str) -> list[Path]:
        """Write each transcript as `<stem>-<i>.txt`."""
        done: Transcripts = made.payload
        paths = []
        for i, text in enumerate(done.texts):
            paths.append(folder / f"{stem}-{i}.txt")
            paths[-1].write_text(text, encoding="utf-8")
        return paths

    def unload(self) -> None:
        """Free the device."""
        self._loaded = None
        self._stages = Stages(self._spec.devices)
        self._speech.clear()
        gc.collect()
        device.empty_caches()

    def _write_down(self, model: Any, features: torch.Tensor, items: int, first: FirstScores) -> list[list[int]]:
        """Token ids of each item, without the prefix.

        The generation that all models share: Whisper's own cuts silence away, starts again where it finds a
        transcript unlikely, and so does other work for each clip.
        """
        prefix = torch.tensor([self._prefix] * items, device=model.device)
        ids = GenerationMixin.generate(
            model,
            features.to(model.device, model.dtype),
            decoder_input_ids=prefix,
            generation_config=self._generation(model),
            logits_processor=LogitsProcessorList([first]),
        )
        new_ids: list[list[int]] = ids[:, prefix.shape[1] :].tolist()
        return new_ids

    def _generation(self, model: Any) -> GenerationConfig:
        return GenerationConfig(
            max_new_tokens=self._options.new_tokens,
            min_new_tokens=self._options.new_tokens,
            do_sample=False,
            num_beams=1,
            use_cache=True,
            pad_token_id=model.config.pad_token_id,
            eos_token_id=model.config.eos_token_id,
            decoder_start_token_id=model.config.decoder_start_token_id,
        )

    def _heard(self, prompt: str) -> Wave:
        if prompt not in self._speech:
            rate_hz = self._extractor.sampling_rate
            self._speech[prompt] = spoken(prompt, self._options.seconds, rate_hz)
        return self._speech[prompt]

    def _check_length(self, model: Any) -> None:
        """Refuse what the model cannot hear or write at once."""
        longest_s, most = self._extractor.chunk_length, model.config.max_target_positions - PROMPT_TOKENS
        if self._options.seconds > longest_s:
            raise EngineError(
                f"{self._spec.model} hears {longest_s} s at once, and {self._options.seconds:g} s were asked for.",
                "Ask for fewer with --seconds, and for several clips with --batch.",
            )
        if self._options.new_tokens > most:
            raise EngineError(
                f"{self._spec.model} writes {most} tokens at most, and {self._options.new_tokens} were asked for.",
                "Ask for fewer with --new-tokens.",
            )

    def _ready(self) -> LoadedModel:
        if self._loaded is None:
            raise EngineError(f"{self._spec.model} is not loaded.", "Call load first.", stage="generate")
        return self._loaded


def _extractor(loaded: LoadedModel) -> Any:
    """What turns samples into a spectrogram, as published or as the network's shape asks for it."""
    if loaded.name is not None:
        return WhisperFeatureExtractor.from_pretrained(loaded.name, **loaded.arguments)
    config = loaded.model.config
    plain = WhisperFeatureExtractor(feature_size=config.num_mel_bins)  # type: ignore[no-untyped-call]
    frames_s = plain.hop_length / plain.sampling_rate
    return WhisperFeatureExtractor(  # type: ignore[no-untyped-call]
        feature_size=config.num_mel_bins, chunk_length=round(2 * config.max_source_positions * frames_s)
    )


def _prefix(loaded: LoadedModel) -> list[int]:
    """The ids that a transcript begins with: of the published tokenizer, or as many of the start's."""
    if loaded.name is not None:
        return [int(token) for token in loaded.tokenizer.prefix_tokens]
    return [loaded.model.config.decoder_start_token_id] * PROMPT_TOKENS
