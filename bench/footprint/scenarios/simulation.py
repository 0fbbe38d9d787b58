"""Results of a scenario: the ratio of person to model with a 95 % range, its drivers, and its turning points.

found = SimulationReport.of(scenario, draws=100_000, seed=0)
found.ratios["model"].low, found.ratios["model"].high
found.bars[0].key                                  # the input that moves the ratio most
found.turns["model.prompts", "model"].value        # prompts from which on the person alone is ahead
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.footprint.scenarios.model import ScenarioOutcome, footprint
from bench.footprint.scenarios.scenario import ComparedSide, Scenario, ratio, side_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Draws = Mapping[str, NDArray[np.float64]]

LINEAR = ("model.prompts", "editing.edit")
"""Inputs that the grams rise with in a straight line: two points give the break-even exactly."""


@dataclass(frozen=True)
class SimulatedRange:
    """Result of the values, and the median and 95 % range of the draws."""

    value: float
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class TornadoBar:
    """Change of a ratio by one input over its own 95 % range, all others at their values."""

    key: str
    low: float
    high: float
    at_low: float
    at_high: float

    @property
    def reach(self) -> float:
        """The factor between both ends, 1 or more."""
        return max(self.at_low / self.at_high, self.at_high / self.at_low)


@dataclass(frozen=True)
class SimulationReport:
    """Everything that is shown of a scenario."""

    scenario: Scenario
    draws: int
    seed: int
    grams: dict[str, SimulatedRange]
    """Of each way and part, by the names of `ScenarioOutcome`."""
    ratios: dict[ComparedSide, SimulatedRange]
    """The person alone over each side."""
    person_ahead: dict[ComparedSide, float]
    """Share of draws in which the person alone emits less."""
    bars: list[TornadoBar]
    """Of the last side's ratio, the farthest first."""
    turns: dict[tuple[str, ComparedSide], SimulatedRange | None]
    """Value of an input from which the person alone is ahead; below 0 if that is so from the start, `None`
    if the input makes no difference."""

    @classmethod
    def of(cls, scenario: Scenario, draws: int, seed: int) -> SimulationReport:
        """Draw, work out, and sum up."""
        import numpy as np

        values, drawn = scenario.values(), scenario.draws(draws, seed)
        plain, spread = footprint(values), footprint(drawn)
        names = ScenarioOutcome.__dataclass_fields__
        ratios, ahead = {}, {}
        for side in scenario.sides:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.asarray(spread.person_g / side_of(spread, side))
            ratios[side] = _interval(ratio(values, side), found)
            ahead[side] = float(np.mean(found < 1))
        return cls(
            scenario=scenario,
            draws=draws,
            seed=seed,
            grams={name: _interval(getattr(plain, name), getattr(spread, name)) for name in names},
            ratios=ratios,
            person_ahead=ahead,
            bars=tornado(scenario, scenario.sides[-1]),
            turns={(key, side): _turn(values, drawn, key, side) for key in LINEAR for side in scenario.sides},
        )


def _interval(value: float, drawn: NDArray[np.float64]) -> SimulatedRange:
    import numpy as np

    # order statistics: between two infinite draws there is nothing to interpolate
    ends = np.quantile(drawn, (0.025, 0.5, 0.975), method="inverted_cdf")
    low, median, high = map(float, ends)
    return SimulatedRange(value, median, low, high)


def tornado(scenario: Scenario, side: ComparedSide) -> list[TornadoBar]:
    """Each input that varies, the one that moves the ratio most first; none if the ratio is 0 or infinite."""
    values, bars = scenario.values(), []
    for key, found in scenario.inputs.items():
        if found.spread.kind != "point":
            low, high = found.spread.interval
            at_low, at_high = ratio(values | {key: low}, side), ratio(values | {key: high}, side)
            if all(0 < end < math.inf for end in (at_low, at_high)):
                bars.append(TornadoBar(key, low, high, at_low, at_high))
    return sorted(bars, key=lambda bar: -bar.reach)


def _turn(values: Mapping[str, float], drawn: Draws, key: str, side: ComparedSide) -> SimulatedRange | None:
    import numpy as np

    plain = float(_zero({name: np.asarray(value) for name, value in values.items()}, key, side))
    return _interval(plain, _zero(drawn, key, side)) if math.isfinite(plain) else None


def _zero(values: Draws, key: str, side: ComparedSide) -> NDArray[np.float64]:
    """Zero of the straight line of the person's lead over an input."""
    import numpy as np

    at = [footprint({**values, key: np.asarray(number)}) for number in (0.0, 1.0)]
    none, one = (found.person_g - side_of(found, side) for found in at)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(none / (none - one))
