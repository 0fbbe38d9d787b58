"""Bark: three networks that write codes, each from those of the one before it, and EnCodec.

The first writes 49.9 codes for a second of speech, and would stop where the text is spoken; here it writes as
many as the clip is long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers.models.bark.generation_configuration_bark import BarkGenerationConfig

from bench.engines.base import EngineSpec
from bench.engines.device.phases import Stages
from bench.engines.device.transformers_model import LoadedTransformersModel
from bench.engines.limits import speech as limits
from bench.engines.sound.clip_engine import Maker


def maker(loaded: LoadedTransformersModel, spec: EngineSpec, seconds: float, stages: Stages) -> Maker:
    """Maker of clips of `seconds` with a loaded Bark. Raises EngineError for more than it can write."""
    model: Any = loaded.model
    if loaded.name is None:
        model.generation_config = _generation(loaded.generation)
    settings = model.generation_config
    rate_hz = settings.sample_rate
    semantic, coarse = settings.semantic_config, settings.coarse_acoustics_config
    codes_hz = _of(semantic, "semantic_rate_hz")
    codes = limits.codes_of(spec.model, seconds, _of(semantic, "max_new_tokens"), codes_hz)
    padded = _of(semantic, "max_input_semantic_length")
    stages.watch(model.semantic, "semantic", "generate")
    stages.watch(model.coarse_acoustics, "coarse", "generate")
    stages.watch(model.fine_acoustics, "fine", "generate")
    stages.watch(model, "codec", "codec_decode")

    def make(prompts: Sequence[str], seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        # As the published processor does it.
        encoded = loaded.tokenizer(
            list(prompts),
            padding="max_length",
            max_length=padded,
            truncation=True,
            add_special_tokens=False,
            return_attention_mask=True,
            return_tensors="pt",
        ).to(model.device)
        samples: torch.Tensor = model.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            semantic_min_new_tokens=codes,
            semantic_max_new_tokens=codes,
        )
        return samples.reshape(len(prompts), 1, -1)

    used = {
        "model_class": type(model).__name__,
        "attention": model.semantic.config._attn_implementation,
        "sampling": "sampled" if _of(semantic, "do_sample") else "greedy",
        "semantic_tokens": codes,
        "voice_preset": None,
    }
    frame_s = 1 / _of(coarse, "coarse_rate_hz") + 1 / codes_hz
    return Maker(make, {"model": model}, loaded.tokens, rate_hz, frame_s, loaded.revision, used)


def _generation(own: Mapping[str, Any]) -> Any:
    """The published settings, which are the class's own, but for those of `own`."""
    settings = BarkGenerationConfig(**own)
    for name in ("semantic_config", "coarse_acoustics_config", "fine_acoustics_config"):
        setattr(settings, name, getattr(settings, name).to_dict())  # as they come out of a file
    return settings


def _of(settings: Any, key: str) -> Any:
    """A setting of one of the networks, which are kept as mappings or as objects."""
    return settings[key] if isinstance(settings, dict) else getattr(settings, key)
