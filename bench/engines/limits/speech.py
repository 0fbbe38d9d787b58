"""Limits of models of speech: Bark's longest clip, VITS' shortest one, and both of SpeechT5."""

from __future__ import annotations

import math

from bench.core.modalities.speech import SpeechOptions
from bench.engines.base import EngineSpec
from bench.engines.limits.refused import refused, too_many
from bench.engines.weights.architectures import Architecture

BARK_CODES, BARK_CODES_HZ = 768, 49.9
"""Most semantic codes of a clip, and codes a second: transformers' own settings, where a model has none."""


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for a clip that the model cannot speak."""
    options = spec.options
    assert isinstance(options, SpeechOptions), "chosen by the type of the options"
    if shape is None:
        return
    model = shape.components[0]
    if model.class_name == "BarkModel":
        own = shape.generation.get("semantic_config", {})
        most, codes_hz = own.get("max_new_tokens", BARK_CODES), own.get("semantic_rate_hz", BARK_CODES_HZ)
        codes_of(spec.model, options.seconds, most, codes_hz)
    if model.class_name == "VitsModel":
        hop = math.prod(model.config["upsample_rates"])
        frames_of(spec.model, options.seconds, model.config["sampling_rate"], hop)

    if model.class_name == "SpeechT5ForTextToSpeech":
        (vocoder,) = (part.config for part in shape.components if part.name == "vocoder")
        frame = math.prod(vocoder["upsample_rates"]) * model.config["reduction_factor"]
        positions = model.config["max_speech_positions"]
        decoder_steps_of(spec.model, options.seconds, frame / vocoder["sampling_rate"], positions)


def decoder_steps_of(model: str, seconds: float, step_s: float, most: int) -> int:
    """Steps of SpeechT5's decoder for a clip. Raises EngineError for none, or more than it has positions."""
    steps = round(seconds / step_s)
    if not 1 <= steps <= most:
        raise refused(
            f"{model} speaks for {step_s:g} to {most * step_s:.0f} s, and {seconds:g} s were asked for.",
            "Ask for another length with --seconds.",
        )
    return steps


def codes_of(model: str, seconds: float, most: int, codes_hz: float) -> int:
    """Semantic codes of a clip. Raises EngineError for more than Bark writes."""
    codes = math.ceil(seconds * codes_hz - 1e-6)
    if codes > most:
        longest = f"{most / codes_hz:.1f} s"
        raise too_many(model, "speaks for", longest, f"{seconds:g} s", "Ask for fewer with --seconds.")
    return codes


def frames_of(model: str, seconds: float, rate_hz: int, hop: int) -> int:
    """Frames of a clip of VITS. Raises EngineError for less than one."""
    count = round(seconds * rate_hz / hop)
    if count < 1:
        raise refused(
            f"{model} makes {hop / rate_hz * 1000:.0f} ms at least.", "Ask for more with --seconds."
        )
    return count
