"""Speech from a text, counted in the seconds that were really made."""

from __future__ import annotations

from bench.core.modality import ClipSeconds, CountedOutput, Flag, Modality, Options, UnitCount


class SpeechOptions(Options):
    """Options of spoken text. Every item is exactly `seconds` long: that is how fast its text is spoken."""

    seconds: ClipSeconds

    @property
    def size(self) -> str:
        """`10 s`."""
        return f"{self.seconds:g} s"


def count(output: CountedOutput) -> UnitCount:
    """Seconds of speech, as the engine counted them in the samples."""
    return UnitCount(output.seconds)


MODALITY = Modality(
    name="speech",
    order=4,
    unit="audio_second",
    plural="seconds of speech",
    options=SpeechOptions,
    count=count,
    prompts="speech.yaml",
    packages=("torch", "transformers", "accelerate"),
    flags=(Flag("seconds", "length of a clip, exactly."),),
)
