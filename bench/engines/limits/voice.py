"""Limits of a voice chain: those of its three parts."""

from __future__ import annotations

from dataclasses import replace

from bench.core.modalities.recognition import RecognitionOptions
from bench.core.modalities.speech import SpeechOptions
from bench.core.modalities.text import TextOptions
from bench.core.modalities.voice import VoiceOptions
from bench.core.modality import Options
from bench.engines.base import EngineSpec
from bench.engines.limits import recognition, speech, text
from bench.engines.weights import architectures
from bench.engines.weights.architectures import Architecture

_CHECKS = {"recognition": recognition.check, "text": text.check, "speech": speech.check}


def options_by_part(options: VoiceOptions) -> dict[str, Options]:
    """Options of each part, in the order of the chain."""
    return {
        "recognition": RecognitionOptions(
            seconds=options.heard_seconds, new_tokens=options.transcript_tokens
        ),
        "text": TextOptions(new_tokens=options.new_tokens),
        "speech": SpeechOptions(seconds=options.seconds),
    }


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for what one of the parts cannot do."""
    options = spec.options
    assert isinstance(options, VoiceOptions), "chosen by the type of the options"
    for part, own in options_by_part(options).items():
        if shape is not None and part in shape.parts:
            of_part = replace(spec, model=f"{spec.model} ({part})", options=own)
            _CHECKS[part](of_part, architectures.load(shape.parts[part]))
