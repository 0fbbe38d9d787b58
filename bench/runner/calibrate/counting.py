"""How much of the time an energy counter sees, from what it gained from tick to tick.

A counter that sees everything gains the mean of the power over the entire tick; one with a part-time sensor
the mean over a window in each period of the sensor, which may be several ticks long or a part of one. Both
are fitted to the same gains, so that what each leaves unexplained can be compared. Where neither is told from
the other, because the card's power hardly moves within a period, that is the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench.runner.calibrate.pattern import LoadCurve
from bench.runner.calibrate.search import FOLLOWING, Point, best, left, nearer, thinned
from bench.runner.looks import Floats

PART_TIME_BETTER = 0.6
"""A part-time sensor is believed in where it leaves less than this of what a full-time one leaves."""
NEARLY_ALL = 0.9
"""A share above this is not told apart from all of the time."""
SMALLEST_SHARE = 0.02
SHARES = (0.1, 0.25, 0.5, 0.75)
CENTRES = np.linspace(-0.3, 1.2, 16)
"""Of a sensor's window, in its periods: before 0 where the counter is late."""
PERIODS = (0.2, 0.25, 1 / 3, 0.5, 1, 2, 3, 4, 5)
"""Periods of the sensor that are looked for, in ticks of the counter."""
KNOWN_SHARE, KNOWN_PERIOD_S = 0.25, 0.1
"""The part-time sensor of the A100 and H100: a load that would not betray this one tells nothing."""
WIDTHS = (0.05, 0.1, 0.5, 0.5)
LIKELY, STRIDE = 3.84, 1.08
"""Twice the logarithm of a likelihood that 95 % lie within; how finely its edges are looked for."""
NEGLIGIBLE = 1e-3
"""Of the variance: what the edges of ticks, seen a little late, leave in any case."""
REFINED = 3
"""So many of the most promising periods are looked at closely."""


@dataclass(frozen=True)
class Ticks:
    """Time and energy of a counter by number of tick; `nan` for one that was not seen by itself."""

    t_s: Floats
    energy_j: Floats

    @classmethod
    def of(cls, at_s: Floats, joules: Floats, tick: float, after_s: float) -> Ticks:
        """From the steps that were seen, those before `after_s` left out."""
        numbers = np.concatenate([[0], np.cumsum(np.maximum(1, np.rint(np.diff(at_s) / tick)))]).astype(int)
        t_s, energy_j = (np.full(numbers[-1] + 1, np.nan) for _ in range(2))
        t_s[numbers], energy_j[numbers] = at_s, joules
        t_s[t_s < after_s] = np.nan
        return cls(t_s, energy_j)

    def frames(self, fewest: int) -> Iterable[Frames]:
        """The gains, cut for every period of the sensor that is looked for, in every phase to the ticks."""
        for period in PERIODS:
            length = max(1, round(period))
            for first in range(length):
                start_s, end_s = self.t_s[first:-length:length], self.t_s[first + length :: length]
                gain_j = self.energy_j[first + length :: length] - self.energy_j[first:-length:length]
                whole = ~np.isnan(start_s + end_s)
                if np.count_nonzero(whole) >= fewest:
                    start_s, end_s, gain_j = (thinned(each[whole]) for each in (start_s, end_s, gain_j))
                    watts = gain_j / (end_s - start_s)
                    yield Frames(start_s, end_s, watts, period, max(1, round(1 / period)))


@dataclass(frozen=True)
class Frames:
    """Gains of a counter over one tick or several, and how many periods of the sensor each holds."""

    start_s: Floats
    end_s: Floats
    watts: Floats
    period_ticks: float
    periods: int

    def means(self, curve: LoadCurve, share: float, centre: float) -> Floats:
        """What a sensor would see of a load that looks so much of each period, around there."""
        period_s = (self.end_s - self.start_s) / self.periods
        begins = centre - share / 2
        means = [
            curve.mean(at_s, at_s + share * period_s)
            for number in range(self.periods)
            for at_s in [self.start_s + (number + begins) * period_s]
        ]
        found: Floats = np.mean(means, axis=0)
        return found

    def unexplained(
        self, curve: LoadCurve, share: float, centre: float, log_rise: float, log_fall: float
    ) -> float:
        """What a sensor leaves of the gains on a card whose power follows the load so."""
        following = curve.following(float(np.exp(log_rise)), float(np.exp(log_fall)))
        return left(self.means(following, min(1.0, max(SMALLEST_SHARE, share)), centre), self.watts)


@dataclass(frozen=True)
class Fit:
    """The best full-time and the best part-time sensor for the same gains, and what each leaves."""

    frames: Frames
    full: Point
    part: Point
    full_left: float
    part_left: float

    @property
    def ratio(self) -> float:
        """How much better a part-time sensor explains them; infinite where it is as good as a full one."""
        return self.part_left / self.full_left if self.full_left > 0 and self.part[0] < NEARLY_ALL else np.inf


@dataclass(frozen=True)
class Share:
    """What was found; `share` and `period_s` are `None` where it could not be told."""

    share: float | None
    period_s: float | None
    unexplained: float
    between: tuple[float, float] | None = None
    """Shares that explain the gains nearly as well: 95 % by their likelihood."""


def share(curve: LoadCurve, ticks: Ticks, tick_s: float, fewest: int) -> Share | None:
    """How much of the time a counter sees, and its sensor's period; `None` for too few ticks."""
    coarse = [_coarse(curve, frames) for frames in ticks.frames(fewest)]
    if not coarse:
        return None
    promising = sorted(coarse, key=lambda fit: fit.ratio)[:REFINED]
    likeliest = min((_close(curve, fit) for fit in promising), key=lambda fit: fit.ratio)
    if likeliest.ratio < PART_TIME_BETTER:
        period_s = likeliest.frames.period_ticks * tick_s
        found = max(SMALLEST_SHARE, likeliest.part[0])
        return Share(found, period_s, likeliest.part_left, _between(curve, likeliest.frames, likeliest.part))
    nearest = min(coarse, key=lambda fit: abs(np.log(fit.frames.period_ticks * tick_s / KNOWN_PERIOD_S)))
    full = _close(curve, nearest)
    if _would_show(curve, full) < full.full_left:
        return Share(None, None, full.full_left)
    return Share(1.0, tick_s, full.full_left, _between(curve, full.frames, full.full))


def _coarse(curve: LoadCurve, frames: Frames) -> Fit:
    curves = {log: curve.following(float(np.exp(log)), float(np.exp(log))) for log in FOLLOWING}

    def unexplained(seen: float, centre: float, log: float, _: float) -> float:
        return left(frames.means(curves[log], seen, centre), frames.watts)

    full = best(unexplained, ((1.0, at, log, log) for at, log in product(CENTRES, FOLLOWING)))
    part = best(unexplained, ((seen, at, log, log) for seen, at, log in product(SHARES, CENTRES, FOLLOWING)))
    return Fit(frames, full, part, unexplained(*full), unexplained(*part))


def _close(curve: LoadCurve, fit: Fit) -> Fit:
    """The same, looked at closely."""
    frames = fit.frames

    def of_full(centre: float, log_rise: float, log_fall: float) -> float:
        return frames.unexplained(curve, 1.0, centre, log_rise, log_fall)

    def of_part(*point: float) -> float:
        return frames.unexplained(curve, *point)

    full = (1.0, *nearer(of_full, fit.full[1:], WIDTHS[1:]))
    part = nearer(of_part, fit.part, WIDTHS)
    return Fit(frames, full, part, of_part(*full), of_part(*part))


def _between(curve: LoadCurve, frames: Frames, found: Point) -> tuple[float, float]:
    """Shares on either side of the one found, as far as what they leave is no sign against them."""
    limit = frames.unexplained(curve, *found) * np.exp(LIKELY / len(frames.watts)) + NEGLIGIBLE
    edges = []
    for factor in (1 / STRIDE, STRIDE):
        point = found
        while SMALLEST_SHARE < point[0] * factor < STRIDE:
            share = min(1.0, point[0] * factor)

            def unexplained(*rest: float, share: float = share) -> float:
                return frames.unexplained(curve, share, *rest)

            rest = nearer(unexplained, point[1:], WIDTHS[1:])
            if unexplained(*rest) > limit:
                break
            point = (share, *rest)
            if share == 1:
                break
        edges.append(min(1.0, max(SMALLEST_SHARE, point[0])))
    return edges[0], edges[1]


def _would_show(curve: LoadCurve, fit: Fit) -> float:
    """What a full-time sensor would leave unexplained of the gains that a known part-time one would give."""
    _, centre, log_rise, log_fall = fit.full
    following = curve.following(float(np.exp(log_rise)), float(np.exp(log_fall)))
    whole = fit.frames.means(following, 1.0, centre)
    return left(whole, fit.frames.means(following, KNOWN_SHARE, centre))
