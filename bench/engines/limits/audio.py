"""Limits of models of music and sound: steps that one needs and another has none of, and the longest clip."""

from __future__ import annotations

import math

from bench.core.modalities.audio import AudioOptions
from bench.engines.base import EngineSpec
from bench.engines.limits.refused import refused, too_many
from bench.engines.weights.architectures import Architecture


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for a clip that the model cannot make."""
    options = spec.options
    assert isinstance(options, AudioOptions), "chosen by the type of the options"
    if shape is None:
        return
    check_steps(spec.model, options.steps, denoises=shape.pipeline is not None)
    if shape.pipeline == "StableAudioPipeline":
        configs = {part.name: part.config for part in shape.components}
        vae, samples = configs["vae"], configs["transformer"]["sample_size"]
        hop = math.prod(vae["downsampling_ratios"])
        check_longest(shape.pipeline, samples * hop / vae["sampling_rate"], options.seconds)


def check_steps(model: str, steps: int | None, *, denoises: bool) -> None:
    """Raise EngineError for steps without a denoiser, or a denoiser without steps."""
    if denoises and steps is None:
        raise refused(f"{model} needs a number of steps.", "Give one with --steps.")
    if not denoises and steps is not None:
        raise refused(f"{model} writes one code after the other and takes no steps.", "Leave out steps.")


def check_longest(maker: str, most_s: float, seconds: float) -> None:
    """Raise EngineError for a longer clip than the model makes."""
    if seconds > most_s:
        raise too_many(maker, "makes", f"{most_s:.1f} s", f"{seconds:g} s", "Ask for fewer with --seconds.")
