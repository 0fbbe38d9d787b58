"""Distribution of an input: its value, its interval, and its shape.

    Spread("triangular", 300.0, 189.0, 371.0).draw(generator, 100_000)
    Spread("lognormal", 2.0, 1.0, 4.0).interval               # (1.0, 4.0)

`uniform`, `loguniform` and `triangular` never leave low to high; `normal` and `lognormal` do in 5 % of draws:
their low and high are the 95 % interval. Only a triangle takes its value (its peak) anywhere between them;
the value of any other is their middle, and a value beside it is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from bench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DistributionKind = Literal["point", "uniform", "loguniform", "triangular", "normal", "lognormal"]
KINDS: tuple[DistributionKind, ...] = get_args(DistributionKind)

LOGARITHMIC = ("loguniform", "lognormal")
Z_95 = 1.959963984540054
"""Half the 95 % interval of a normal distribution in standard deviations."""
OFF_MIDDLE = 0.01
"""Largest distance of a stated value from the middle, as a share of the half width: rounding."""


@dataclass(frozen=True)
class Spread:
    """A number and its distribution."""

    kind: DistributionKind
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, kind: DistributionKind, value: float | None, low: float | None, high: float | None) -> Spread:
        """Checked; a value that is not stated is the middle. Raises UsageError."""
        if kind == "point":
            if value is None or low is not None or high is not None:
                raise UsageError("A point has a value and no range.")
            return cls(kind, value, value, value)
        if low is None or high is None or not low < high:
            raise UsageError(f"A {kind} distribution needs a low that is below a high.")
        if kind in LOGARITHMIC and low <= 0:
            raise UsageError(f"A {kind} distribution needs a low above 0, not {low:g}.")
        bare = cls(kind, math.nan, low, high)
        value = bare.middle if value is None else value
        if not low <= value <= high:
            raise UsageError(f"The value {value:g} is outside {low:g} to {high:g}.")
        half = (bare._scale(high) - bare._scale(low)) / 2
        off = abs(bare._scale(value) - bare._scale(bare.middle))
        if kind != "triangular" and off > OFF_MIDDLE * half:
            raise UsageError(
                f"A {kind} distribution from {low:g} to {high:g} has its value at {bare.middle:g}.",
                "Leave the value out, or choose `triangular`, whose peak it is.",
            )
        return cls(kind, value, low, high)

    @property
    def middle(self) -> float:
        """The middle of low and high, on the distribution's own scale."""
        if self.kind in LOGARITHMIC:
            return math.sqrt(self.low) * math.sqrt(self.high)
        return self.low / 2 + self.high / 2

    @property
    def reach(self) -> tuple[float, float]:
        """Range of ±4 standard deviations, or the support of a bounded distribution."""
        if self.kind == "normal":
            far = 4 * (self.high - self.value) / Z_95
            return self.value - far, self.value + far
        if self.kind == "lognormal":
            factor = float((self.high / self.middle) ** (4 / Z_95))
            return self.middle / factor, self.middle * factor
        return self.low, self.high

    @property
    def interval(self) -> tuple[float, float]:
        """Central interval with 95 % of the draws."""
        if self.kind in ("point", "normal", "lognormal"):
            return self.low, self.high
        return self._quantile(0.025), self._quantile(0.975)

    def _quantile(self, share: float) -> float:
        if self.kind == "triangular":
            return self._triangular(share)
        low, high = self._scale(self.low), self._scale(self.high)
        found = low + share * (high - low)
        return math.exp(found) if self.kind == "loguniform" else found

    def _triangular(self, share: float) -> float:
        width = self.high - self.low
        rising = (self.value - self.low) / width
        if share < rising:
            return self.low + math.sqrt(share * width * (self.value - self.low))
        return self.high - math.sqrt((1 - share) * width * (self.high - self.value))

    def _scale(self, value: float) -> float:
        return math.log(value) if self.kind in LOGARITHMIC else value

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """So many independent draws."""
        import numpy as np

        low, high = self._scale(self.low), self._scale(self.high)
        match self.kind:
            case "point":
                return np.full(count, self.value)
            case "uniform":
                return generator.uniform(low, high, count)
            case "loguniform":
                return np.exp(generator.uniform(low, high, count))
            case "triangular":
                return generator.triangular(low, self.value, high, count)
            case "normal":
                return generator.normal(self.middle, (high - low) / 2 / Z_95, count)
            case "lognormal":
                return np.exp(generator.normal((low + high) / 2, (high - low) / 2 / Z_95, count))
