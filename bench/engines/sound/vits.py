"""VITS: a text encoder, durations of its characters, a flow, and a HiFi-GAN as vocoder, all in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from bench.engines.base import EngineSpec
from bench.engines.device.phases import Stages
from bench.engines.device.transformers_model import LoadedTransformersModel
from bench.engines.limits import speech as limits
from bench.engines.sound.clip_engine import Maker
from bench.errors import EngineError

LONGEST_LOG = 8.0
"""A character of 3000 frames: random weights may exceed it, those of a voice never do."""


def maker(loaded: LoadedTransformersModel, spec: EngineSpec, seconds: float, stages: Stages) -> Maker:
    """Maker of clips of `seconds` with a loaded VITS, its durations scaled so that each text fills them."""
    model: Any = loaded.model
    rate_hz = model.config.sampling_rate
    hop = math.prod(model.config.upsample_rates)
    frames = limits.frames_of(spec.model, seconds, rate_hz, hop)
    model.speaking_rate = 1.0
    stages.watch(model.text_encoder, "text_encoder")
    stages.watch(model.duration_predictor, "durations")
    stages.watch(model.flow, "flow")
    stages.watch(model.decoder, "vocoder")

    def fit(_module: nn.Module, inputs: tuple[Any, ...], logs: torch.Tensor) -> torch.Tensor:
        return fitted(logs, inputs[1], frames)

    model.duration_predictor.register_forward_hook(fit)

    def make(prompts: Sequence[str], seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        encoded = loaded.tokenizer(list(prompts), padding=True, return_tensors="pt")
        mute = [i for i, length in enumerate(encoded["attention_mask"].sum(dim=1).tolist()) if not length]
        if mute:
            raise EngineError(
                f"Text {mute[0]} has no character that {spec.model} can speak.",
                "Use texts in the alphabet of the model.",
                stage="generate",
            )
        encoded = encoded.to(model.device)
        spoken = model(input_ids=encoded["input_ids"], attention_mask=encoded["attention_mask"])
        waveform: torch.Tensor = spoken.waveform
        return waveform[:, None]

    used = {
        "model_class": type(model).__name__,
        "speaking": "durations scaled to the length asked for",
        "noise_scale": model.noise_scale,
    }
    return Maker(make, {"model": model}, loaded.tokens, rate_hz, hop / rate_hz, loaded.revision, used)


def fitted(logs: torch.Tensor, mask: torch.Tensor, frames: int) -> torch.Tensor:
    """Logarithms of durations in the proportions of `logs` that, rounded up, are `frames` together.

    Shapes are (items, 1, characters); `mask` is 0 behind the end of a text. Whole frames are dealt out by the
    rounded running sum, so that none is lost. In float32: bfloat16 would round a long character to another
    number of frames.
    """
    logs = torch.nan_to_num(logs.float(), nan=0.0).clamp(-LONGEST_LOG, LONGEST_LOG)
    weights = torch.exp(logs) * mask.float()
    ends = torch.round(weights.cumsum(-1) * (frames / weights.sum(-1, keepdim=True)))
    whole = torch.diff(ends, dim=-1, prepend=torch.zeros_like(ends[..., :1]))
    return torch.log(whole - 0.5 * (whole > 0))
