"""Music and sound from a prompt, counted in the seconds that were really made."""

from __future__ import annotations

from bench.core.modality import (
    ClipSeconds,
    CountedOutput,
    Flag,
    Guidance,
    Modality,
    Options,
    Steps,
    UnitCount,
)
from bench.core.words import counted


class AudioOptions(Options):
    """Options of a clip. Every item is exactly `seconds` long."""

    seconds: ClipSeconds
    steps: Steps | None = None
    """Denoising steps; `None` for a model that writes one token after the other."""
    guidance: Guidance | None = None

    @property
    def size(self) -> str:
        """`10 s`, `10 s 200 steps`."""
        steps = "" if self.steps is None else f" {counted(self.steps, 'step')}"
        return f"{self.seconds:g} s{steps}"


def count(output: CountedOutput) -> UnitCount:
    """Seconds of audio, as the engine counted them in the samples."""
    return UnitCount(output.seconds)


MODALITY = Modality(
    name="audio",
    order=3,
    unit="audio_second",
    plural="seconds of audio",
    options=AudioOptions,
    count=count,
    prompts="audio.yaml",
    packages=("torch", "diffusers", "transformers", "accelerate"),
    flags=(
        Flag("seconds", "length of a clip, exactly."),
        Flag("steps", "denoising steps."),
        Flag("guidance", "guidance scale."),
    ),
)
