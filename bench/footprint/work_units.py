"""Units of human baselines in the units of models: a `music_minute` is 60 of `audio_second`.

    [each.unit for each in work_of("video")]    # video_minute, newsroom_minute, ...
    named("audio_second")                       # music_minute, effects_minute, voice_hour
    why_none("voice")                           # the reason why nothing is known

Modalities that share a unit do not share people: a second of music is composed, a second of speech read.
"""

from __future__ import annotations

from functools import cache

from pydantic import Field

from bench.core import modalities
from bench.footprint.bundled_rows import Part
from bench.footprint.reference import content


class WorkUnit(Part):
    """What a person makes, and how many units of a model's output it is."""

    unit: str
    """Unit of baselines."""
    modality: str
    count: float = Field(gt=0)
    """Units of the modality in one."""
    work: str
    """What the person does."""

    @property
    def model_unit(self) -> str:
        """The unit of the modality."""
        return modalities.get(self.modality).unit


class NoBaseline(Part):
    """A modality of which no baseline is known."""

    modality: str
    reason: str


@cache
def work_units() -> tuple[WorkUnit, ...]:
    """Every unit of baselines that a model's output can be set beside."""
    return tuple(map(WorkUnit.model_validate, content("human_baselines")["units"]))


@cache
def _without() -> dict[str, str]:
    rows = map(NoBaseline.model_validate, content("human_baselines")["without"])
    return {row.modality: row.reason for row in rows}


def work_of(modality: str) -> list[WorkUnit]:
    """What people do in place of a modality; empty where none is known (`why_none`)."""
    return [each for each in work_units() if each.modality == modality]


def named(model_unit: str) -> list[str]:
    """Units of baselines that are counted in a unit of models; empty for another name."""
    return [each.unit for each in work_units() if each.model_unit == model_unit]


def why_none(modality: str) -> str | None:
    """The reason why a modality has no people beside it, or `None` where it has some."""
    if work_of(modality):
        return None
    return _without().get(modality, f"No human baseline is bundled for the modality {modality}.")


def without_people(model_unit: str | None) -> dict[str, str]:
    """Modalities of a unit of models without people, each with the reason."""
    found = (modality.name for modality in modalities.of_unit(model_unit or ""))
    return {name: reason for name in found if (reason := why_none(name))}
