"""How a sensor sees a load that is known edge by edge: tick, window, delay, share of the time.

A reading that was renewed at some moment is taken for the mean of the load over a window that ended some time
before, plus a constant. Which window and which delay leave least of the readings unexplained is looked for on
a grid, and then nearer and nearer. The energy counter's gains from tick to tick are read in the same way: a
counter that sees everything gains the mean over the entire tick, one that sees a quarter of it the mean over
a window a quarter as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from bench.records.calibration import Counter, PowerField
from bench.runner.calibrate.pattern import LoadCurve
from bench.runner.looks import Floats, Looks, tick_s

SETTLE_S = 3.0
"""Left out at the beginning: the widest window, and clocks that rise."""
FEWEST = 20
"""Readings below which nothing is fitted."""
UNEXPLAINED_LIMIT = 0.3
"""With more than this left unexplained the card's reading does not follow the load closely enough to tell."""
PART_TIME_BETTER = 0.5
"""A part-time sensor is believed in where it leaves less than this of what a full-time one would leave."""
NEARLY_ALL = 0.9
"""A share above this is not told apart from all of the time."""
WINDOWS_S = np.geomspace(0.005, 3.0, 18)
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
STARTS = np.linspace(-0.5, 0.9, 15)
"""Where in its period a sensor's window begins, in periods."""
PERIODS = (0.2, 0.25, 1 / 3, 0.5, 1, 2, 3, 4, 5)
"""Periods of the sensor that are looked for, in ticks of the counter."""

Unexplained = Callable[[float, float], float]


def steps(t_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """When a reading was seen to change, half-way between two looks, and to what; absent ones left out."""
    known = ~np.isnan(values)
    t_s, values = t_s[known], values[known]
    changed = np.flatnonzero(np.diff(values) != 0) + 1
    return (t_s[changed - 1] + t_s[changed]) / 2, values[changed]


def power_field(curve: LoadCurve, t_s: Floats, power_w: Floats) -> PowerField | None:
    """What a power reading averages over; `None` where it never changed."""
    at_s, watts = steps(t_s, power_w)
    update_s = tick_s(at_s, typical=0.25)
    if update_s is None:
        return None
    late = at_s > curve.edges_s[0] + SETTLE_S
    at_s, watts = at_s[late], watts[late]
    if len(at_s) < FEWEST:
        reason = f"it changed {len(at_s)} times under the load, {FEWEST} are needed"
        return PowerField(
            update_s=update_s, window_s=None, delay_s=None, share_seen=None, unexplained=None, reason=reason
        )

    def unexplained(log_window: float, delay_s: float) -> float:
        ends_s = at_s - max(0.0, delay_s)
        return _left(curve.mean(ends_s - np.exp(log_window), ends_s), watts)

    delays_s = np.linspace(0.0, max(0.2, 1.5 * update_s), 16)
    start = _best(unexplained, product(np.log(WINDOWS_S), delays_s))
    log_window, delay_s = _nearer(unexplained, start, (0.2, float(delays_s[1]) / 2))
    left = unexplained(log_window, delay_s)
    window_s = float(np.exp(log_window))
    followed = left <= UNEXPLAINED_LIMIT
    return PowerField(
        update_s=update_s,
        window_s=window_s if followed else None,
        delay_s=max(0.0, delay_s) if followed else None,
        share_seen=min(1.0, window_s / update_s) if followed else None,
        unexplained=left,
        reason=None if followed else _NOT_FOLLOWED.format(left),
    )


def counter(curve: LoadCurve, t_s: Floats, energy_j: Floats) -> Counter | None:
    """How often the energy counter ticks and how much of the time it sees; `None` where it never moved."""
    at_s, joules = steps(t_s, energy_j)
    tick = tick_s(at_s)
    if tick is None:
        return None
    ticks = _Ticks.of(at_s, joules, tick, after_s=curve.edges_s[0] + SETTLE_S)
    fits = [_fit_share(curve, frames) for frames in ticks.frames()]
    if not fits:
        reason = f"fewer than {FEWEST} of its ticks were seen under the load"
        return Counter(tick_s=tick, share_seen=None, sensor_period_s=None, unexplained=None, reason=reason)
    best = min(fits, key=lambda fit: fit.unexplained)
    if best.unexplained > UNEXPLAINED_LIMIT:
        reason = _NOT_FOLLOWED.format(best.unexplained)
        left = best.unexplained
        return Counter(tick_s=tick, share_seen=None, sensor_period_s=None, unexplained=left, reason=reason)
    part = best.share < NEARLY_ALL and best.unexplained < PART_TIME_BETTER * best.unexplained_by_all
    return Counter(
        tick_s=tick,
        share_seen=best.share if part else 1.0,
        sensor_period_s=best.period_ticks * tick if part else tick,
        unexplained=best.unexplained if part else best.unexplained_by_all,
    )


_NOT_FOLLOWED = "{:.0%} of its variance does not follow the load"


@dataclass(frozen=True)
class _Frames:
    """Gains of the counter over one tick or several, and how many periods of the sensor each holds."""

    start_s: Floats
    end_s: Floats
    watts: Floats
    period_ticks: float
    periods: int


@dataclass(frozen=True)
class _Ticks:
    """Time and energy of the counter by number of tick; `nan` for one that was not seen by itself."""

    t_s: Floats
    energy_j: Floats

    @classmethod
    def of(cls, at_s: Floats, joules: Floats, tick: float, after_s: float) -> _Ticks:
        numbers = np.concatenate([[0], np.cumsum(np.maximum(1, np.rint(np.diff(at_s) / tick)))]).astype(int)
        t_s, energy_j = (np.full(numbers[-1] + 1, np.nan) for _ in range(2))
        t_s[numbers], energy_j[numbers] = at_s, joules
        t_s[t_s < after_s] = np.nan
        return cls(t_s, energy_j)

    def frames(self) -> Iterable[_Frames]:
        """The gains, cut for every period of the sensor that is looked for, in every phase to the ticks."""
        for period in PERIODS:
            length = max(1, round(period))
            for first in range(length):
                start_s, end_s = self.t_s[first:-length:length], self.t_s[first + length :: length]
                gain_j = self.energy_j[first + length :: length] - self.energy_j[first:-length:length]
                whole = ~np.isnan(start_s + end_s)
                if np.count_nonzero(whole) >= FEWEST:
                    start_s, end_s, gain_j = start_s[whole], end_s[whole], gain_j[whole]
                    watts = gain_j / (end_s - start_s)
                    yield _Frames(start_s, end_s, watts, period, max(1, round(1 / period)))


@dataclass(frozen=True)
class _Fit:
    """The share that leaves least unexplained, and what a sensor that sees everything would leave."""

    share: float
    period_ticks: float
    unexplained: float
    unexplained_by_all: float


def _fit_share(curve: LoadCurve, frames: _Frames) -> _Fit:
    def unexplained(share: float, begins: float) -> float:
        share = min(1.0, max(0.01, share))
        period_s = (frames.end_s - frames.start_s) / frames.periods
        means = [
            curve.mean(at_s, at_s + share * period_s)
            for number in range(frames.periods)
            for at_s in [frames.start_s + (number + begins) * period_s]
        ]
        return _left(np.mean(means, axis=0), frames.watts)

    all_start = _best(unexplained, product((1.0,), STARTS))
    all_at = _nearer(lambda _, begins: unexplained(1.0, begins), all_start, (0.1, 0.05))
    by_all = unexplained(1.0, all_at[1])
    start = _best(unexplained, product(SHARES, STARTS))
    share, begins = _nearer(unexplained, start, (0.1, 0.05))
    return _Fit(min(1.0, max(0.01, share)), frames.period_ticks, unexplained(share, begins), by_all)


def _left(shares: Floats, watts: Floats) -> float:
    """Share of the readings' variance that a line over the load leaves; 1 where they fall with it."""
    x, y = shares - shares.mean(), watts - watts.mean()
    together, squares = float(x @ y), float(x @ x) * float(y @ y)
    if together <= 0 or squares == 0:
        return 1.0
    return max(0.0, 1.0 - together**2 / squares)


def _best(unexplained: Unexplained, grid: Iterable[tuple[float, float]]) -> tuple[float, float]:
    return min(grid, key=lambda point: unexplained(*point))


def _nearer(
    unexplained: Unexplained, start: tuple[float, float], widths: tuple[float, float], rounds: int = 40
) -> tuple[float, float]:
    """From a point of the grid to the best one near it: its neighbours, ever closer."""
    (x, y), (dx, dy) = start, widths
    least = unexplained(x, y)
    for _ in range(rounds):
        around = [(x + i * dx, y + j * dy) for i, j in product((-1, 0, 1), repeat=2) if (i, j) != (0, 0)]
        left, point = min((unexplained(*each), each) for each in around)
        if left < least:
            least, (x, y) = left, point
        else:
            dx, dy = dx / 2, dy / 2
            if dx < 1e-4:
                break
    return x, y


def of(curve: LoadCurve, looks: Looks) -> tuple[Counter | None, PowerField | None, PowerField | None]:
    """Counter, instant power and average power of one card under one load."""
    return (
        counter(curve, looks.t_s, looks.energy_j),
        power_field(curve, looks.t_s, looks.power_instant_w),
        power_field(curve, looks.t_s, looks.power_average_w),
    )
