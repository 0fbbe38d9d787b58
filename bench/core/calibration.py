"""Calibration of a card's sensor, as `python -m bench calibrate` measured it on that card.

    found.share_seen, found.sensor_period_s, found.block_seconds_at_least()

`bench.store.calibration` keeps one file a card. A run copies what it used into its record
(`machine.calibration`), so that a budget can be drawn up from that alone. A value that could not be had is
`null` with a reason beside it.

History of `SCHEMA`
    joulebench/calibration/1   first version
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from bench.core.model import SchemaModel

SCHEMA = "joulebench/calibration/1"
WANTED_TICKS = 300
"""Ticks in a block of a counter that sees part of the time: at 25 % of 100 ms it then errs by 0.9 %."""
SETTLED_AFTER = 4
"""Time constants after which less than 2 % of what was above idle is left."""

LoadLevel = Literal["idle", "middle", "high"]
"""Level of the generated load: idle, moving memory, multiplying matrices."""
LEVELS: tuple[LoadLevel, ...] = ("idle", "middle", "high")


class Counter(SchemaModel, frozen=True):
    """The energy counter: how often it moves, and how much of the time it sees.

    `share_seen` is 1 where it sees all the time; `sensor_period_s` is then its tick.
    """

    tick_s: float = Field(gt=0, lt=1e3)
    share_seen: float | None = Field(ge=0.01, le=1)
    share_between: tuple[float, float] | None = None
    """Shares that explain what was seen about as well: 95 %."""
    sensor_period_s: float | None = Field(gt=0, lt=1e3)
    delay_s: float | None = Field(None, ge=0, lt=1e3)
    """Publishing delay: the counter shows joules drawn up to this time before its move.

    Of a sensor that sees part of the time: its window taken for the middle of the period that it represents.
    """
    unexplained: float | None
    """Share of its variance that the load, seen like that, leaves unexplained: 0 is a perfect fit."""
    reason: str | None = None


class PowerField(SchemaModel, frozen=True):
    """A power reading: how often it is renewed, over how long it averages, how old that average then is."""

    update_s: float = Field(gt=0, lt=1e3)
    window_s: float | None = Field(gt=0, lt=1e3)
    delay_s: float | None = Field(ge=0, lt=1e3)
    """Time from the end of the averaging window until the value can be read."""
    share_seen: float | None = Field(gt=0, le=1)
    unexplained: float | None
    reason: str | None = None

    @property
    def lag_s(self) -> float | None:
        """Lag of the reading behind the power it represents: delay and half the window."""
        if self.window_s is None or self.delay_s is None:
            return None
        return self.delay_s + self.window_s / 2


class Decay(SchemaModel, frozen=True):
    """Power after the load has ended: `idle_w` + `above_idle_w` × exp(−t / `time_constant_s`)."""

    idle_w: float
    above_idle_w: float
    time_constant_s: float | None = Field(gt=0)
    reason: str | None = None


class Plateau(SchemaModel, frozen=True):
    """One stretch of constant load, read by the card and, outside, by a reference meter."""

    level: LoadLevel
    seconds: float = Field(gt=0)
    read_j: float = Field(gt=0)


class SensorLine(SchemaModel, frozen=True):
    """The card's reading over the truth: read = `gain` × true + `offset_w`, between two powers.

    `gain_u`, `offset_u_w` and `covariance_w` are of the fit; `reference_u` is the relative standard
    uncertainty that the reference meter has in common for all stretches. `offset_w` is `null` where only a
    gain could be had; it is then taken for none, and the budget keeps its line for it.
    """

    created: str
    reference_j: list[float]
    reference_error: float = Field(gt=0, lt=1)
    """Stated half width of the reference's error, relative."""
    supply_efficiency: float | None = Field(None, gt=0, le=1)
    """Whether the reference was read at the wall."""
    gain: float = Field(gt=0.1, lt=10)
    gain_u: float = Field(ge=0, lt=10)
    offset_w: float | None = Field(gt=-1e4, lt=1e4)
    offset_u_w: float = Field(0.0, ge=0, lt=1e4)
    covariance_w: float = Field(0.0, gt=-1e4, lt=1e4)
    reference_u: float = Field(ge=0, lt=10)
    from_w: float
    to_w: float
    reason: str | None = None

    def true_w(self, read_w: float) -> float:
        """The power that the card reads as `read_w`."""
        return (read_w - (self.offset_w or 0.0)) / self.gain

    def relative_u(self, true_w: float) -> float:
        """Relative standard uncertainty of a true power that was found so."""
        fitted = self.offset_u_w**2 + (true_w * self.gain_u) ** 2 + 2 * true_w * self.covariance_w
        return math.hypot(math.sqrt(max(0.0, fitted)) / self.gain / true_w, self.reference_u)

    @property
    def relative_gain_u(self) -> float:
        """Relative standard uncertainty of a difference of two powers: the offset cancels."""
        return math.hypot(self.gain_u / self.gain, self.reference_u)

    def spans(self, read_w: float) -> bool:
        """Whether a power is within the fitted range, or at most a tenth beyond it."""
        return self.offset_w is not None and 0.9 * self.from_w <= read_w <= 1.1 * self.to_w


class Calibration(SchemaModel):
    """Everything found on one card. Powers in watts, times in seconds."""

    schema_name: Literal["joulebench/calibration/1"] = Field("joulebench/calibration/1", alias="schema")
    uuid: str
    name: str
    created: str
    driver: str | None
    power_limit_w: float | None
    looks: int
    """Number of samples of the card under the load."""
    look_s: float
    """Time between two looks (median)."""
    call_s: float
    """Cost of one look at energy and power (median)."""
    counter: Counter | None
    power_instant: PowerField | None
    power_average: PowerField | None
    decay: Decay | None
    stretches: list[Plateau] = Field(default_factory=list)
    """The card's reading of the reference load, if one was run."""
    line: SensorLine | None = None
    """Gain and offset, where a reference meter saw the stretches."""
    absent: dict[str, str] = Field(default_factory=dict)

    @property
    def share_seen(self) -> float | None:
        """Share of the time that the energy counter sees; without a counter, that the power reading sees."""
        read = self.counter or self.power_instant
        return read.share_seen if read else None

    @property
    def sensor_period_s(self) -> float | None:
        """Period that work must not keep step with: the sensor's."""
        if self.counter:
            return self.counter.sensor_period_s
        return self.power_instant.update_s if self.power_instant else None

    @property
    def settles_in_s(self) -> float:
        """Time after work until the card is back at its idle power; 0 if unknown."""
        time_s = self.decay.time_constant_s if self.decay else None
        return SETTLED_AFTER * (time_s or 0.0)

    def block_seconds_at_least(self) -> float | None:
        """Least length of a block, for a counter that sees part of the time or may do so.

        `None` where the counter sees all of the time, and for a card without a counter.
        """
        if self.counter is None or self.counter.share_seen == 1:
            return None
        return WANTED_TICKS * self.counter.tick_s
