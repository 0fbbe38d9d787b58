"""Limits of models of music and sound: steps that one needs and another has none of, and lengths of clips."""

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
    configs = {part.name: part.config for part in shape.components}
    if shape.pipeline is None:
        codec = configs["model"]["audio_encoder"]
        frame_s = math.prod(codec["upsampling_ratios"]) / codec["sampling_rate"]
        check_shortest(spec.model, frame_s, round(options.seconds / frame_s))
    if shape.pipeline == "AudioLDM2Pipeline":
        vocoder = configs["vocoder"]
        frame_s = math.prod(vocoder["upsample_rates"]) / vocoder["sampling_rate"]
        check_shortest(shape.pipeline, frame_s, int(options.seconds / frame_s))
    if shape.pipeline == "StableAudioPipeline":
        vae, samples = configs["vae"], configs["transformer"]["sample_size"]
        hop = math.prod(vae["downsampling_ratios"])
        check_longest(shape.pipeline, samples * hop / vae["sampling_rate"], options.seconds)


def check_steps(model: str, steps: int | None, *, denoises: bool) -> None:
    """Raise EngineError for steps without a denoiser, or a denoiser without steps."""
    if denoises and steps is None:
        raise refused(f"{model} needs a number of steps.", "Give one with --steps.")
    if not denoises and steps is not None:
        raise refused(f"{model} writes one code after the other and takes no steps.", "Leave out steps.")


def check_shortest(maker: str, frame_s: float, frames: int) -> None:
    """Raise EngineError for a clip of no whole frame."""
    if frames < 1:
        raise refused(f"{maker} makes {frame_s * 1000:.0f} ms at least.", "Ask for more with --seconds.")


def check_longest(maker: str, most_s: float, seconds: float) -> None:
    """Raise EngineError for a longer clip than the model makes."""
    if seconds > most_s:
        raise too_many(maker, "makes", f"{most_s:.1f} s", f"{seconds:g} s", "Ask for fewer with --seconds.")
