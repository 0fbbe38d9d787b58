"""Brings a Whisper onto its device, with what turns samples into its spectrogram.

loaded = load(spec, options)          # inside failures.translated("load", spec)
ids = loaded.write_down(loaded.spectrogram(waves), FirstScores())
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, GenerationMixin, LogitsProcessorList, WhisperFeatureExtractor

from bench.core.modalities.recognition import RecognitionOptions
from bench.engines.base import EngineSpec
from bench.engines.device.phases import FirstScores
from bench.engines.device.transformers_model import LoadedTransformersModel
from bench.engines.device.transformers_model import load as load_model
from bench.engines.limits.recognition import PREFIX_TOKENS, check_length
from bench.engines.sound.clips import Wave

CLASSES = ("WhisperForConditionalGeneration",)


@dataclass(frozen=True)
class LoadedWhisper:
    """A model ready to hear. `prefix` are the token ids that a transcript begins with."""

    model: Any
    tokenizer: Any
    extractor: Any
    prefix: tuple[int, ...]
    generation: GenerationConfig
    revision: str
    used: dict[str, Any]

    @property
    def rate_hz(self) -> int:
        """Samples a second that it hears."""
        return int(self.extractor.sampling_rate)

    def spectrogram(self, waves: Sequence[Wave]) -> torch.Tensor:
        """The log-mel spectrograms of a batch, on the model's device and in its dtype."""
        made = self.extractor(list(waves), sampling_rate=self.rate_hz, return_tensors="pt")
        features: torch.Tensor = made["input_features"].to(self.model.device, self.model.dtype)
        return features

    def write_down(self, features: torch.Tensor, first: FirstScores) -> list[list[int]]:
        """Token ids of each item, without the prefix.

        By the generation that all models share: Whisper's own cuts silence away and starts again where it
        finds a transcript unlikely, which is other work for each clip.
        """
        prefix = torch.tensor([self.prefix] * len(features), device=self.model.device)
        ids = GenerationMixin.generate(
            self.model,
            features,
            decoder_input_ids=prefix,
            generation_config=self.generation,
            logits_processor=LogitsProcessorList([first]),
        )
        new_ids: list[list[int]] = ids[:, prefix.shape[1] :].tolist()
        return new_ids

    def text(self, ids: Sequence[int]) -> str:
        """Text of the token ids."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))


def load(spec: EngineSpec, options: RecognitionOptions) -> LoadedWhisper:
    """Load what `spec` names. Raises EngineError, or the libraries' own errors for `failures` to map."""
    found = load_model(spec, CLASSES)
    extractor = _extractor(found)
    positions = found.model.config.max_target_positions
    check_length(spec.model, extractor.chunk_length, positions, options)
    used = {
        "model_class": type(found.model).__name__,
        "attention": found.model.config._attn_implementation,
        "sampling": "greedy",
        "end_of_sequence": "never chosen",
        "new_tokens": options.new_tokens,
        "seconds": options.seconds,
        "could_hear_s": float(extractor.chunk_length),
        "speech": "made by arithmetic",
        "tokenizer": "stand-in" if found.name is None else "published",
        "cpu_threads": torch.get_num_threads(),
    }
    generation = _generation(found.model.config, options.new_tokens)
    return LoadedWhisper(
        found.model, found.tokenizer, extractor, _prefix(found), generation, found.revision, used
    )


def _generation(config: Any, new_tokens: int) -> GenerationConfig:
    """Settings under which exactly `new_tokens` come out, the likeliest each time."""
    return GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        pad_token_id=config.pad_token_id,
        eos_token_id=config.eos_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
    )


def _extractor(found: LoadedTransformersModel) -> Any:
    """Converter of samples to a spectrogram, as published or as the network's shape asks for it."""
    if found.name is not None:
        return WhisperFeatureExtractor.from_pretrained(found.name, **found.arguments)
    config = found.model.config
    make: Any = WhisperFeatureExtractor
    plain = make(feature_size=config.num_mel_bins)
    frames_s = plain.hop_length / plain.sampling_rate
    length_s = round(2 * config.max_source_positions * frames_s)
    return make(feature_size=config.num_mel_bins, chunk_length=length_s)


def _prefix(found: LoadedTransformersModel) -> tuple[int, ...]:
    """The ids that a transcript begins with: of the published tokenizer, or as many of the start's."""
    if found.name is not None:
        found.tokenizer.set_prefix_tokens(language="english", task="transcribe", predict_timestamps=False)
        return tuple(int(token) for token in found.tokenizer.prefix_tokens)
    return (found.model.config.decoder_start_token_id,) * PREFIX_TOKENS
