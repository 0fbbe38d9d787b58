"""Tones, which stand in the folder of modalities for a test: a modality is a file here and an engine."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from bench.core.modality import ClipSeconds, CountedOutput, Flag, Keys, Modality, Options, UnitCount


class ToneOptions(Options):
    """How a tone is made."""

    only_if_set: ClassVar[frozenset[str]] = frozenset({"stereo"})
    variants: ClassVar[Keys] = ("in_chunks",)

    seconds: ClipSeconds
    rate_hz: Annotated[int, Field(ge=8000, le=96_000)] = 24_000
    stereo: bool = False
    in_chunks: bool = False

    @property
    def size(self) -> str:
        """`5 s`."""
        return f"{self.seconds:g} s"


def count(output: CountedOutput) -> UnitCount:
    """Seconds of tone, as the engine counted them."""
    return UnitCount(output.seconds)


MODALITY = Modality(
    name="tone",
    order=11,
    unit="tone_second",
    plural="seconds of tone",
    options=ToneOptions,
    count=count,
    prompts="pages.yaml",
    packages=("numpy",),
    flags=(Flag("seconds", "length of an item."), Flag("stereo", "two channels.")),
    defaults=frozenset({"rate_hz"}),
)
