"""A spoken answer to a spoken question: recognition, a text, and speech, one after the other.

Counted in the seconds of speech made; each block also has the seconds heard.
"""

from __future__ import annotations

from bench.core.modality import ClipSeconds, CountedOutput, Flag, Modality, NewTokens, Options, UnitCount


class VoiceOptions(Options):
    """Options of an answer: `heard_seconds` in, `transcript_tokens`, `new_tokens` of text, `seconds` out."""

    heard_seconds: ClipSeconds
    transcript_tokens: NewTokens
    new_tokens: NewTokens
    seconds: ClipSeconds

    @property
    def size(self) -> str:
        """`10 s heard 40 tokens 30 s`."""
        return f"{self.heard_seconds:g} s heard {self.new_tokens} tokens {self.seconds:g} s"


def count(output: CountedOutput) -> UnitCount:
    """Seconds of speech made."""
    return UnitCount(output.seconds)


MODALITY = Modality(
    name="voice",
    order=7,
    unit="audio_second",
    plural="seconds of spoken answers",
    options=VoiceOptions,
    count=count,
    prompts="speech.yaml",
    per_token=False,
    packages=("torch", "transformers", "accelerate"),
    flags=(
        Flag("heard_seconds", "length of the question, exactly."),
        Flag("new_tokens", "tokens an item, exactly."),
        Flag("seconds", "length of a clip, exactly."),
    ),
)
