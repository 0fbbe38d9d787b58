"""A scenario whose inputs are checked: its values, its draws, and the ratio that it is about.

    scenario = build(find("critics"))
    ratio(scenario.values(), "model")        # person alone over model alone, every input at its value

Draws are those of the stated distributions, independent of each other. Each input has a stream of its own,
made of the seed and its name, so that changing one input leaves the draws of all others as they were.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.footprint.scenarios.inputs import Input
from bench.footprint.scenarios.model import PARAMETERS, Number, ScenarioOutcome, footprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ComparedSide = Literal["model", "together"]
"""Sides to compare with the person alone: the model alone, or the person with the model."""


@dataclass(frozen=True)
class Scenario:
    """Checked inputs; a part that is not counted is in `absent`."""

    name: str
    about: str
    unit: str
    method: str
    """Way to count the person: top-down or equipment."""
    scope: str
    """Of the model's energy, before what the inputs add to it."""
    inputs: dict[str, Input]
    absent: tuple[str, ...]
    leaves_out: tuple[str, ...]

    @property
    def sides(self) -> tuple[ComparedSide, ...]:
        """Sides to compare with the person alone; the last is the scenario's subject."""
        return ("model",) if "editing" in self.absent else ("model", "together")

    def values(self) -> dict[str, float]:
        """Every input of the model at its value; what is not counted at its neutral one."""
        counted = {key: found.spread.value for key, found in self.inputs.items()}
        return {key: counted[key] if key in counted else _neutral(key) for key in PARAMETERS}

    def draws(self, count: int, seed: int) -> dict[str, NDArray[np.float64]]:
        """So many draws of every input; a single number where it does not vary."""
        import numpy as np

        drawn: dict[str, NDArray[np.float64]] = {}
        for key, value in self.values().items():
            spread = self.inputs[key].spread if key in self.inputs else None
            if spread is None or spread.kind == "point":
                drawn[key] = np.asarray(value)
            else:
                drawn[key] = spread.draw(np.random.default_rng([seed, zlib.crc32(key.encode())]), count)
        return drawn


def _neutral(key: str) -> float:
    neutral = PARAMETERS[key].neutral
    assert neutral is not None  # an input without one is needed, and is there
    return neutral


def side_of(found: ScenarioOutcome[Number], side: ComparedSide) -> Number:
    """Grams of a side."""
    return found.model_g if side == "model" else found.together_g


def ratio(values: Mapping[str, float], side: ComparedSide) -> float:
    """The person alone over a side; infinite where that emits nothing."""
    found = footprint(values)
    other = side_of(found, side)
    return found.person_g / other if other else math.inf
