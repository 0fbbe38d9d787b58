"""Limits of a voice chain: those of its three parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
from bench.errors import EngineError

_OPTIONS = {"recognition": {"--seconds": "--heard-seconds", "--new-tokens": "transcript_tokens"}}
"""Options of a part that the chain has under another name; one without a flag by its key in models.yaml."""
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
            with options_of_chain(part):
                _CHECKS[part](of_part, architectures.load(shape.parts[part]))


@contextmanager
def options_of_chain(part: str) -> Iterator[None]:
    """Inside, an EngineError of a part advises the chain's options in place of the part's own."""
    try:
        yield
    except EngineError as error:
        for own, of_chain in _OPTIONS.get(part, {}).items():
            error.remedy = error.remedy and error.remedy.replace(own, of_chain)
        raise
