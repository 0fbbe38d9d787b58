"""Quantities with units, and arithmetic on ranges.

    Joules.of(7200.0, 7000.0, 7400.0).wh() + WattHours.of(1.0)      # 3.0 Wh, 2.94 to 3.06
    WattHours.of(1.0) + Grams.of(1.0)                               # UnitError, and mypy refuses it

A `Range` is a value with the lowest and highest it may be. Its arithmetic takes the extremes of both sides,
which is exact where each input enters a chain once and every step rises or falls with it, as here. A point
(low = value = high) is a number for which no range is stated: what follows from it has the range of the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self, overload

from bench.errors import UsageError

J_PER_WH = 3600.0
WH_PER_KWH = 1e3
J_PER_KWH = J_PER_WH * WH_PER_KWH
W_PER_MW = 1e6


class UnitError(UsageError):
    """Two quantities of different units were to be added, or one was given where another belongs."""


@dataclass(frozen=True)
class Range:
    """A value and its interval."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.value, self.low, self.high))):
            raise ValueError(f"{self.value} in {self.low} to {self.high} is not finite")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value} is outside {self.low} to {self.high}")

    @classmethod
    def of(cls, value: float, low: float | None = None, high: float | None = None) -> Self:
        """A range; a bound that is not stated is the value itself."""
        return cls(value, value if low is None else low, value if high is None else high)

    @property
    def is_point(self) -> bool:
        """Whether no range is stated."""
        return self.low == self.high

    def __add__(self, other: Range) -> Range:
        return Range(self.value + other.value, self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range | float) -> Range:
        by = other if isinstance(other, Range) else Range.of(other)
        corners = [mine * theirs for mine in (self.low, self.high) for theirs in (by.low, by.high)]
        return Range(self.value * by.value, min(corners), max(corners))

    def __truediv__(self, other: Range | float) -> Range:
        by = other if isinstance(other, Range) else Range.of(other)
        if by.low <= 0 <= by.high:
            raise ZeroDivisionError(f"{by.low} to {by.high} contains 0, by which nothing can be divided")
        corners = [mine / theirs for mine in (self.low, self.high) for theirs in (by.low, by.high)]
        return Range(self.value / by.value, min(corners), max(corners))


@dataclass(frozen=True)
class Quantity:
    """A range of one unit. Only its subclasses are used: each is a unit."""

    unit: ClassVar[str]
    range: Range

    @classmethod
    def of(cls, value: float, low: float | None = None, high: float | None = None) -> Self:
        """So many of this unit."""
        return cls(Range.of(value, low, high))

    @property
    def value(self) -> float:
        """The value, without its range."""
        return self.range.value

    @property
    def low(self) -> float:
        """The lowest it may be."""
        return self.range.low

    @property
    def high(self) -> float:
        """The highest it may be."""
        return self.range.high

    def __add__(self, other: Self) -> Self:
        return type(self)(self.range + self._same(other, "added to").range)

    def __mul__(self, factor: Range | float) -> Self:
        return type(self)(self.range * self._number(factor))

    @overload
    def __truediv__(self, other: Self) -> Range: ...
    @overload
    def __truediv__(self, other: Range | float) -> Self: ...
    def __truediv__(self, other: Self | Range | float) -> Range | Self:
        """A ratio of two of the same unit, or a part of this one."""
        if isinstance(other, Quantity):
            return self.range / self._same(other, "divided by").range
        return type(self)(self.range / other)

    def _number(self, factor: object) -> Range | float:
        if isinstance(factor, (Range, float, int)):
            return factor
        found = factor.unit if isinstance(factor, Quantity) else type(factor).__name__
        raise UnitError(f"{self.unit} cannot be multiplied by {found}: a number belongs here.")

    def _same(self, other: Quantity, how: str) -> Quantity:
        if type(other) is not type(self):
            found = other.unit if isinstance(other, Quantity) else type(other).__name__
            raise UnitError(f"{self.unit} cannot be {how} {found}: the units differ.")
        return other


class Joules(Quantity):
    """Energy as a meter reads it."""

    unit = "J"

    def wh(self) -> WattHours:
        """The same in watt-hours."""
        return WattHours(self.range / J_PER_WH)


class WattHours(Quantity):
    """Energy as bills and published figures have it."""

    unit = "Wh"


class Grams(Quantity):
    """Greenhouse gases as the CO2 that would warm as much."""

    unit = "g CO2e"


class Litres(Quantity):
    """Water that evaporates or is otherwise taken from where it was."""

    unit = "L"


class Money(Quantity):
    """US dollars."""

    unit = "USD"


class Seconds(Quantity):
    """Time."""

    unit = "s"


class Megawatts(Quantity):
    """Mean power."""

    unit = "MW"


class MegawattHours(Quantity):
    """Energy of a year."""

    unit = "MWh/yr"


class Tonnes(Quantity):
    """CO2e of a year."""

    unit = "t CO2e/yr"


class Cards(Quantity):
    """Accelerators."""

    unit = "cards"


class Percent(Quantity):
    """Part of a whole."""

    unit = "%"
