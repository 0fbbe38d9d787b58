"""Published joules in the units of models: joules a clip of 10 s are a tenth for each `audio_second`.

    joules_per(row, "audio_second")     # 37.3 J, or `None`: no such unit, or the source states no length

A length is what the source states: seconds, or frames and frames a second. A clip of unknown length has no
joules a second.
"""

from __future__ import annotations

from bench.core import modalities
from bench.core.quantities import Joules
from bench.footprint.bundled_rows import Published


def joules_per(row: Published, unit: str) -> Joules | None:
    """Joules of one unit of models; `None` where the row counts something else or states no length."""
    if row.joules is None:
        return None
    if row.unit == unit or row.unit.split("_")[0] == unit:
        return row.joules
    length_s = seconds_of(row)
    if length_s is None or not _is_second(row, unit):
        return None
    return row.joules / length_s


def seconds_of(row: Published) -> float | None:
    """Length of a clip in seconds, as its source states it."""
    seconds, frames, fps = (row.conditions.get(key) for key in ("seconds", "frames", "fps"))
    if isinstance(seconds, float):
        return seconds
    return frames / fps if isinstance(frames, float) and isinstance(fps, float) else None


def _is_second(row: Published, unit: str) -> bool:
    """Whether a unit counts the seconds of what the row is of."""
    made = (modality.unit for modality in modalities.all_modalities() if modality.name == row.modality)
    return unit.endswith("_second") and unit in made


def condition_text(value: float | str) -> str:
    """A stated condition in a sentence: a number without needless digits, or its words."""
    return value if isinstance(value, str) else f"{value:g}"
