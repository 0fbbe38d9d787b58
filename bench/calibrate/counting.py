"""Duty cycle of an energy counter's sensor, from the energy gained from tick to tick.

A counter that sees everything gains the mean of the power over the entire tick; one with a part-time sensor
the mean over a window in each period of the sensor, which may be several ticks long or a part of one. Both
are fitted to the same gains, so that what each leaves unexplained can be compared. Where neither differs from
the other, because the card's power hardly moves within a period, that is the answer.

What is left unexplained is mostly that a tick is seen late, by a look or two. So the ticks are put on the
even grid that they were seen around, where they keep to one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import numpy as np

from bench.calibrate.excitation import LoadCurve
from bench.calibrate.search import FOLLOWING, SearchPoint, best, descend, thinned, unexplained_share
from bench.core.arrays import Floats

PART_TIME_BETTER = 0.6
"""A part-time sensor is believed in where it leaves less than this of what a full-time one leaves."""
NEARLY_ALL = 0.9
"""Share above which a sensor counts as seeing all of the time."""
SMALLEST_SHARE = 0.02
LATEST_S = 0.5
"""A counter may publish so late."""
SHARES = (0.1, 0.25, 0.5, 0.75)
CENTRES = np.linspace(-0.3, 1.2, 16)
"""Of a sensor's window, in its periods: before 0 where the counter is late."""
PERIODS = (*(Fraction(1, each) for each in (5, 4, 3, 2)), *map(Fraction, range(1, 6)))
"""Periods of the sensor that are looked for in any case, in ticks of the counter."""
MOST_PERIODS, MOST_TICKS = 10, 20
"""A stretch of whole ticks and whole periods has no more of them."""
WIDTHS = (0.05, 0.1, 0.5, 0.5)
LIKELY, STRIDE = 3.84, 1.08
"""Twice the log likelihood ratio of a 95 % interval; steps of the search for its edges."""
NEGLIGIBLE = 1e-3
"""Of the variance: what the edges of ticks, seen a little late, leave in any case."""
REFINED = 3
"""So many of the most promising periods are looked at closely."""


class PartTimeSensor(NamedTuple):
    """A sensor that sees `share` of every `period_s`, once in each."""

    share: float
    period_s: float

    def ticks(self, tick_s: float) -> Fraction:
        """Its period in ticks of the counter, as a ratio of small numbers."""
        return Fraction(self.period_s / tick_s).limit_denominator(MOST_PERIODS)


KNOWN = PartTimeSensor(0.25, 0.1)
"""The sensor of the A100 and H100: a load that would not reveal this one is useless."""


@dataclass(frozen=True)
class CounterTicks:
    """Time and energy of a counter by number of tick; `nan` for one that was not seen by itself."""

    t_s: Floats
    energy_j: Floats

    @classmethod
    def of(cls, at_s: Floats, joules: Floats, tick: float, after_s: float, look_s: float) -> CounterTicks:
        """Build from the steps that were seen, `look_s` apart, without those before `after_s`."""
        numbers = np.concatenate([[0], np.cumsum(np.maximum(1, np.rint(np.diff(at_s) / tick)))]).astype(int)
        grid_s = np.polyval(np.polyfit(numbers, at_s, 1), numbers)
        if np.median(np.abs(grid_s - at_s)) < look_s / 2:  # no further off than a sample can resolve
            at_s = grid_s
        t_s, energy_j = (np.full(numbers[-1] + 1, np.nan) for _ in range(2))
        t_s[numbers], energy_j[numbers] = at_s, joules
        t_s[t_s < after_s] = np.nan
        return cls(t_s, energy_j)

    def earlier(self, by_s: float) -> CounterTicks:
        """The same energies, known so much earlier."""
        return CounterTicks(self.t_s - by_s, self.energy_j)

    def frames(self, fewest: int, periods: Iterable[Fraction]) -> Iterable[SensorPeriods]:
        """The gains, cut for each of these periods of a sensor (in ticks), in every phase to the ticks."""
        for period in periods:
            length = period.numerator
            for first in range(length):
                start_s, end_s = self.t_s[first:-length:length], self.t_s[first + length :: length]
                gain_j = self.energy_j[first + length :: length] - self.energy_j[first:-length:length]
                whole = ~np.isnan(start_s + end_s)
                if np.count_nonzero(whole) >= fewest:
                    start_s, end_s, gain_j = (thinned(each[whole]) for each in (start_s, end_s, gain_j))
                    watts = gain_j / (end_s - start_s)
                    yield SensorPeriods(start_s, end_s, watts, period)


@dataclass(frozen=True)
class SensorPeriods:
    """Gains of a counter over whole ticks that are whole periods of the sensor, too."""

    start_s: Floats
    end_s: Floats
    watts: Floats
    period_ticks: Fraction

    def means(self, curve: LoadCurve, share: float, centre: float) -> Floats:
        """Reading of a sensor that sees this share of each period, around there."""
        periods = self.period_ticks.denominator
        period_s = (self.end_s - self.start_s) / periods
        begins = centre - share / 2
        means = [
            curve.mean(at_s, at_s + share * period_s)
            for number in range(periods)
            for at_s in [self.start_s + (number + begins) * period_s]
        ]
        found: Floats = np.mean(means, axis=0)
        return found

    def unexplained(
        self, curve: LoadCurve, share: float, centre: float, log_rise: float, log_fall: float
    ) -> float:
        """Unexplained share of the gains with this sensor, on a card whose power follows the load so."""
        following = curve.following(float(np.exp(log_rise)), float(np.exp(log_fall)))
        return unexplained_share(
            self.means(following, min(1.0, max(SMALLEST_SHARE, share)), centre), self.watts
        )


@dataclass(frozen=True)
class SensorFits:
    """The best full-time and the best part-time sensor for the same gains, and what each leaves."""

    frames: SensorPeriods
    full: SearchPoint
    part: SearchPoint
    full_left: float
    part_left: float

    @property
    def ratio(self) -> float:
        """Ratio by which a part-time sensor explains them better; infinite if as good as a full one."""
        return self.part_left / self.full_left if self.full_left > 0 and self.part[0] < NEARLY_ALL else np.inf


@dataclass(frozen=True)
class DutyCycle:
    """The result; `share` and `period_s` are `None` if undecided."""

    share: float | None
    period_s: float | None
    unexplained: float
    delay_s: float | None = None
    """Time from when energy is drawn until it is seen."""
    between: tuple[float, float] | None = None
    """Shares that explain the gains nearly as well: 95 % by their likelihood."""


def share(
    curve: LoadCurve,
    ticks: CounterTicks,
    tick_s: float,
    fewest: int,
    suspects: Collection[PartTimeSensor] = (KNOWN,),
) -> DutyCycle | None:
    """Share of the time that a counter sees, and its sensor's period; `None` for too few ticks.

    That it sees all the time is believed where every one of the `suspects` would have shown.
    """
    late_s = _late_s(curve, ticks, tick_s, fewest)
    ticks = ticks.earlier(late_s)
    suspected = {each.ticks(tick_s) for each in suspects}
    periods = {*PERIODS, *(each for each in suspected if 0 < each.numerator <= MOST_TICKS)}
    coarse = [_coarse(curve, frames) for frames in ticks.frames(fewest, sorted(periods))]
    if not coarse:
        return None
    promising = sorted(coarse, key=lambda fit: fit.ratio)[:REFINED]
    likeliest = min((_close(curve, fit) for fit in promising), key=lambda fit: fit.ratio)
    if likeliest.ratio < PART_TIME_BETTER:
        period_s = float(likeliest.frames.period_ticks) * tick_s
        found = max(SMALLEST_SHARE, likeliest.part[0])
        between = _between(curve, likeliest.frames, likeliest.part)
        return DutyCycle(
            found, period_s, likeliest.part_left, late_s + _lag_s(likeliest.part, period_s), between
        )
    for suspect in suspects:
        full = _close(curve, min(coarse, key=lambda fit: _apart(fit, suspect.period_s / tick_s)))
        if full.full_left > PART_TIME_BETTER * _would_leave(curve, full, suspect.share):
            return DutyCycle(None, None, full.full_left)
    delay_s = late_s + _lag_s(full.full, float(full.frames.period_ticks) * tick_s)
    return DutyCycle(1.0, tick_s, full.full_left, delay_s, _between(curve, full.frames, full.full))


def _late_s(curve: LoadCurve, ticks: CounterTicks, tick_s: float, fewest: int) -> float:
    """About how late the ticks are, so that what is searched is within a period or so of its place."""
    following = {log: curve.following(float(np.exp(log)), float(np.exp(log))) for log in FOLLOWING}
    late = [
        (unexplained_share(frames.means(following[log], 1.0, 0.5), frames.watts), float(late_s))
        for late_s in np.arange(0.0, LATEST_S, tick_s / 4)
        for frames in ticks.earlier(float(late_s)).frames(fewest, [Fraction(1)])
        for log in FOLLOWING
    ]
    return min(late)[1] if late else 0.0


def _lag_s(point: SearchPoint, period_s: float) -> float:
    """Time from the middle of a sensor's window to the middle of the period that it represents."""
    return (0.5 - point[1]) * period_s


def _coarse(curve: LoadCurve, frames: SensorPeriods) -> SensorFits:
    curves = {log: curve.following(float(np.exp(log)), float(np.exp(log))) for log in FOLLOWING}

    def unexplained(seen: float, centre: float, log: float, _: float) -> float:
        return unexplained_share(frames.means(curves[log], seen, centre), frames.watts)

    full = best(unexplained, ((1.0, at, log, log) for at, log in product(CENTRES, FOLLOWING)))
    part = best(unexplained, ((seen, at, log, log) for seen, at, log in product(SHARES, CENTRES, FOLLOWING)))
    return SensorFits(frames, full, part, unexplained(*full), unexplained(*part))


def _close(curve: LoadCurve, fit: SensorFits) -> SensorFits:
    """The same, looked at closely."""
    frames = fit.frames

    def of_full(centre: float, log_rise: float, log_fall: float) -> float:
        return frames.unexplained(curve, 1.0, centre, log_rise, log_fall)

    def of_part(*point: float) -> float:
        return frames.unexplained(curve, *point)

    full = (1.0, *descend(of_full, fit.full[1:], WIDTHS[1:]))
    part = descend(of_part, fit.part, WIDTHS)
    return SensorFits(frames, full, part, of_part(*full), of_part(*part))


def _between(curve: LoadCurve, frames: SensorPeriods, found: SearchPoint) -> tuple[float, float]:
    """Likelihood interval of the duty cycle around its best fit."""
    limit = frames.unexplained(curve, *found) * np.exp(LIKELY / len(frames.watts)) + NEGLIGIBLE
    edges = []
    for factor in (1 / STRIDE, STRIDE):
        point = found
        while SMALLEST_SHARE < point[0] * factor < STRIDE:
            share = min(1.0, point[0] * factor)

            def unexplained(*rest: float, share: float = share) -> float:
                return frames.unexplained(curve, share, *rest)

            rest = descend(unexplained, point[1:], WIDTHS[1:])
            if unexplained(*rest) > limit:
                break
            point = (share, *rest)
            if share == 1:
                break
        edges.append(min(1.0, max(SMALLEST_SHARE, point[0])))
    return edges[0], edges[1]


def _apart(fit: SensorFits, period_ticks: float) -> float:
    return abs(float(np.log(float(fit.frames.period_ticks) / period_ticks)))


def _would_leave(curve: LoadCurve, fit: SensorFits, share: float) -> float:
    """Unexplained share with a full-time sensor, of the gains that a part-time one would give."""
    _, centre, log_rise, log_fall = fit.full
    following = curve.following(float(np.exp(log_rise)), float(np.exp(log_fall)))
    frames = replace(fit.frames, watts=fit.frames.means(following, share, centre))

    def of_full(*rest: float) -> float:
        return frames.unexplained(curve, 1.0, *rest)

    return of_full(*descend(of_full, fit.full[1:], WIDTHS[1:]))
