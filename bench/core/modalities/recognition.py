"""Speech to text, counted in the seconds that were heard.

Its unit is not that of audio that is made: joules per second heard and per second made are two figures, and
neither rankings, gates nor people may set one beside the other.
"""

from __future__ import annotations

from bench.core.modality import ClipSeconds, CountedOutput, Flag, Modality, NewTokens, Options, UnitCount


class RecognitionOptions(Options):
    """Options of a heard clip. Every item is `seconds` of speech, written in exactly `new_tokens` tokens."""

    seconds: ClipSeconds
    new_tokens: NewTokens

    @property
    def size(self) -> str:
        """`30 s 100 tokens`."""
        return f"{self.seconds:g} s {self.new_tokens} tokens"


def count(output: CountedOutput) -> UnitCount:
    """Seconds of speech that went in."""
    return UnitCount(output.seconds)


MODALITY = Modality(
    name="recognition",
    order=6,
    unit="heard_second",
    plural="seconds of speech heard",
    options=RecognitionOptions,
    count=count,
    prompts="speech.yaml",
    packages=("torch", "transformers", "accelerate"),
    flags=(
        Flag("seconds", "length of a clip, exactly."),
        Flag("new_tokens", "tokens an item, exactly."),
    ),
)
