"""MusicGen: a text encoder, a decoder of four streams of codes, and EnCodec, which turns codes into sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import GenerationConfig

from bench.core.modalities.audio import AudioOptions
from bench.engines.base import EngineSpec
from bench.engines.device.phases import Stages
from bench.engines.device.transformers_model import load as load_model
from bench.engines.limits import audio as limits
from bench.engines.sound.clip_engine import Maker

CLASSES = ("MusicgenForConditionalGeneration",)


def load(spec: EngineSpec, options: AudioOptions, stages: Stages) -> Maker:
    """The model of `spec`. Raises EngineError, or the libraries' own errors for `failures` to map."""
    limits.check_steps(spec.model, options.steps, denoises=False)
    loaded = load_model(spec, CLASSES)
    model: Any = loaded.model
    codec, decoder = model.audio_encoder.config, model.decoder.config
    frame_s = codec.hop_length / codec.sampling_rate
    limits.check_shortest(spec.model, frame_s, round(options.seconds / frame_s))
    generation = _generation(model, dict(loaded.generation), options, frame_s)
    stages.watch(model.text_encoder, "text_encoder")
    stages.watch(model.decoder, "decode")
    stages.watch(model.audio_encoder, "codec", "decode")

    def make(prompts: Sequence[str], seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        encoded = loaded.tokenizer(list(prompts), padding=True, return_tensors="pt").to(model.device)
        samples: torch.Tensor = model.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            generation_config=generation,
        )
        return samples

    used = {
        "model_class": type(model).__name__,
        "attention": decoder._attn_implementation,
        "guidance": generation.guidance_scale,
        "sampling": "sampled" if generation.do_sample else "greedy",
        "new_tokens": generation.max_new_tokens,
        "codebooks": decoder.num_codebooks,
    }
    return Maker(make, {"model": model}, loaded.tokens, codec.sampling_rate, frame_s, loaded.revision, used)


def _generation(model: Any, own: dict[str, Any], options: AudioOptions, frame_s: float) -> Any:
    """The published settings, with a length, because no code of the model ends a clip.

    The streams are shifted by one against each other, so the last of a clip's frames is whole that many
    codes less one later; the first code is the start, which is not counted as new.
    """
    decoder = model.decoder.config
    settings: Any = model.generation_config
    if own:
        settings = GenerationConfig(**own)  # type: ignore[no-untyped-call]
    settings.decoder_start_token_id = decoder.pad_token_id
    settings.bos_token_id = settings.pad_token_id = decoder.pad_token_id
    settings.max_length = None
    settings.max_new_tokens = round(options.seconds / frame_s) + decoder.num_codebooks - 1
    settings.eos_token_id = None
    if options.guidance is not None:
        settings.guidance_scale = options.guidance
    return settings
