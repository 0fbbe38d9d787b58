"""SpeechT5: an encoder of characters, a decoder that writes two frames of a spectrogram a step, and HiFi-GAN.

The decoder would stop where it takes the text for spoken; here it writes as many frames as the clip is long.
A speaker is a vector of 512 numbers: one is drawn here, the same in every run, because the published voices
are a data set of their own. It decides the voice, and not the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - as torch's users write it

from bench.engines.base import EngineSpec
from bench.engines.device import transformers_model
from bench.engines.device.phases import Stages
from bench.engines.device.transformers_model import LoadedTransformersModel
from bench.engines.limits import speech as limits
from bench.engines.limits.refused import refused
from bench.engines.sound.clip_engine import Maker

VOCODER = "vocoder"
SPEAKER_SEED = 20


def maker(loaded: LoadedTransformersModel, spec: EngineSpec, seconds: float, stages: Stages) -> Maker:
    """Maker of clips of `seconds` with a loaded SpeechT5 and its vocoder. Raises EngineError."""
    model: Any = loaded.model
    vocoder: Any = transformers_model.load_component(spec, VOCODER, "SpeechT5HifiGan")
    rate_hz = vocoder.config.sampling_rate
    frame = math.prod(vocoder.config.upsample_rates) * model.config.reduction_factor
    positions = model.config.max_speech_positions
    steps = limits.decoder_steps_of(spec.model, seconds, frame / rate_hz, positions)
    stages.watch(model.speecht5.encoder, "text_encoder")
    stages.watch(model.speecht5.decoder.wrapped_decoder, "decode")
    stages.watch(vocoder, "vocoder")
    speaker = _speaker(model)

    def make(prompts: Sequence[str], seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        encoded = loaded.tokenizer(list(prompts), padding=True, return_tensors="pt").to(model.device)
        characters = encoded["input_ids"].shape[1]
        _require_room(spec, characters, model.config.max_text_positions)
        ratio = (steps + 0.5) * model.config.reduction_factor / characters  # rounded down to `steps`
        samples: torch.Tensor = model.generate_speech(
            encoded["input_ids"],
            speaker.expand(len(prompts), -1),
            attention_mask=encoded["attention_mask"],
            minlenratio=ratio,
            maxlenratio=ratio,
            vocoder=vocoder,
        )
        return samples.reshape(len(prompts), 1, -1)

    used = {
        "model_class": type(model).__name__,
        "vocoder_class": type(vocoder).__name__,
        "attention": model.config._attn_implementation,
        "decoder_steps": steps,
        "speaker": "drawn",
    }
    parts = {"model": model, VOCODER: vocoder}
    return Maker(make, parts, loaded.tokens, rate_hz, frame / rate_hz, loaded.revision, used)


def _require_room(spec: EngineSpec, characters: int, most: int) -> None:
    if characters > most:
        raise refused(
            f"A text has {characters} characters, and {spec.model} speaks {most} at most.",
            "Use shorter texts.",
            "generate",
        )


def _speaker(model: Any) -> torch.Tensor:
    """A vector of unit length, as those of the published speakers are."""
    drawn = torch.randn(
        1, model.config.speaker_embedding_dim, generator=torch.Generator().manual_seed(SPEAKER_SEED)
    )
    return F.normalize(drawn).to(model.device, model.dtype)
