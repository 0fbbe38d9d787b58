"""Limits of Whisper: seconds that it hears at once, and tokens that it writes of them."""

from __future__ import annotations

from bench.core.modalities.recognition import RecognitionOptions
from bench.engines.base import EngineSpec
from bench.engines.limits.refused import refused, too_many
from bench.engines.weights.architectures import Architecture

PREFIX_TOKENS = 4
"""Tokens that a transcript begins with: start, language, task, and without times."""
FRAME_S = 0.01
"""Hop of the spectrogram; the encoder halves the frames."""


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for what the model cannot hear or write at once."""
    options = spec.options
    assert isinstance(options, RecognitionOptions), "chosen by the type of the options"
    if shape is not None:
        config = shape.components[0].config
        longest_s = round(2 * config["max_source_positions"] * FRAME_S)
        check_length(spec.model, longest_s, config["max_target_positions"], options)


def check_length(model: str, longest_s: int, positions: int, options: RecognitionOptions) -> None:
    """Raise EngineError for more than it hears at once, or more than it has positions for."""
    if options.seconds > longest_s:
        raise refused(
            f"{model} hears {longest_s} s at once, and {options.seconds:g} s were asked for.",
            "Ask for fewer with --seconds, and for several clips with --batch.",
        )
    most = positions - PREFIX_TOKENS
    if options.new_tokens > most:
        raise too_many(
            model, "writes", f"{most} tokens", str(options.new_tokens), "Ask for fewer with --new-tokens."
        )
