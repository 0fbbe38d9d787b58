"""Response of a sensor to a load with known edges: tick, window, delay, duty cycle.

A reading that was renewed at some moment is taken for the mean of the card's power over a window that ended
some time before, plus a constant; and that power for the load, which it follows with a time constant for
rising and one for falling. What leaves least of the readings unexplained is looked for on a grid, and then
nearer and nearer (`search`). The energy counter's gains from tick to tick are read in the same way
(`counting`).
"""

from __future__ import annotations

from itertools import product

import numpy as np

from bench.calibrate import counting
from bench.calibrate.excitation import LoadCurve
from bench.calibrate.search import FOLLOWING, best, descend, thinned, unexplained_share
from bench.core.arrays import Floats
from bench.core.calibration import Counter, PowerField
from bench.meters.fast_samples import FastSamples, tick_s

SETTLE_S = 3.0
"""Left out at the beginning: the widest window, and clocks that rise."""
FEWEST = 20
"""Readings below which nothing is fitted."""
UNEXPLAINED_LIMIT = 0.3
"""Unexplained share above which the card's reading does not follow the load closely enough."""
WINDOWS_S = np.geomspace(0.005, 3.0, 18)
DELAY_STEP_S = 0.0125


def steps(t_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Times at which a reading changed, half-way between two looks, and its values; absent ones left out."""
    known = ~np.isnan(values)
    t_s, values = t_s[known], values[known]
    changed = np.flatnonzero(np.diff(values) != 0) + 1
    return (t_s[changed - 1] + t_s[changed]) / 2, values[changed]


def power_field(curve: LoadCurve, t_s: Floats, power_w: Floats) -> PowerField | None:
    """Averaging window of a power reading; `None` if it never changed."""
    at_s, watts = steps(t_s, power_w)
    update_s = tick_s(at_s, typical=0.25)
    if update_s is None:
        return None
    late = at_s > curve.edges_s[0] + SETTLE_S
    at_s, watts = thinned(at_s[late]), thinned(watts[late])
    if len(at_s) < FEWEST:
        reason = f"it changed {len(at_s)} times under the load, {FEWEST} are needed"
        return PowerField(
            update_s=update_s, window_s=None, delay_s=None, share_seen=None, unexplained=None, reason=reason
        )

    def unexplained(log_window: float, lag_s: float, log_rise: float, log_fall: float) -> float:
        window_s = np.exp(log_window)
        ends_s = at_s - max(0.0, lag_s - window_s / 2)
        following = curve.following(np.exp(log_rise), np.exp(log_fall))
        return unexplained_share(following.mean(ends_s - window_s, ends_s), watts)

    delays_s = np.arange(0.0, max(0.2, 1.5 * update_s), DELAY_STEP_S)
    grid = ((np.log(w), d + w / 2, log, log) for w, d, log in product(WINDOWS_S, delays_s, FOLLOWING))
    start = best(unexplained, grid)
    found = descend(unexplained, start, (0.2, DELAY_STEP_S / 2, 0.5, 0.5))
    window_s, remainder = float(np.exp(found[0])), unexplained(*found)
    followed = remainder <= UNEXPLAINED_LIMIT
    return PowerField(
        update_s=update_s,
        window_s=window_s if followed else None,
        delay_s=max(0.0, found[1] - window_s / 2) if followed else None,
        share_seen=min(1.0, window_s / update_s) if followed else None,
        unexplained=remainder,
        reason=None if followed else _NOT_FOLLOWED.format(remainder),
    )


def counter(
    curve: LoadCurve, t_s: Floats, energy_j: Floats, instant: PowerField | None = None
) -> Counter | None:
    """Tick of the energy counter and the share of the time that it sees; `None` if it never moved.

    It may share the gap of the card's `instant` power: that must have shown before none is believed in.
    """
    at_s, joules = steps(t_s, energy_j)
    tick = tick_s(at_s)
    if tick is None:
        return None
    look_s = float(np.median(np.diff(t_s)))
    ticks = counting.CounterTicks.of(at_s, joules, tick, curve.edges_s[0] + SETTLE_S, look_s)
    suspects = [counting.KNOWN]
    if instant and instant.share_seen is not None and instant.share_seen < counting.NEARLY_ALL:
        suspects.append(counting.PartTimeSensor(instant.share_seen, instant.update_s))
    share = period_s = delay_s = unexplained = reason = None
    found = counting.share(curve, ticks, tick, FEWEST, suspects)
    if found is None:
        reason = f"fewer than {FEWEST} of its ticks were seen under the load"
    elif found.unexplained > UNEXPLAINED_LIMIT:
        unexplained, reason = found.unexplained, _NOT_FOLLOWED.format(found.unexplained)
    elif found.share is None:
        unexplained, reason = found.unexplained, _NOT_TOLD
    else:
        share, period_s, unexplained = found.share, found.period_s, found.unexplained
        delay_s = None if found.delay_s is None else max(0.0, found.delay_s)  # a look's length less is none
    return Counter(
        tick_s=tick,
        share_seen=share,
        share_between=found.between if found else None,
        sensor_period_s=period_s,
        delay_s=delay_s,
        unexplained=unexplained,
        reason=reason,
    )


_NOT_FOLLOWED = "{:.0%} of its variance does not follow the load"
_NOT_TOLD = (
    "a gap would not have shown: the card's power follows the load too slowly, or its ticks are uneven"
)


def of(curve: LoadCurve, looks: FastSamples) -> tuple[Counter | None, PowerField | None, PowerField | None]:
    """Counter, instant power and average power of one card under one load."""
    instant = power_field(curve, looks.t_s, looks.power_instant_w)
    average = power_field(curve, looks.t_s, looks.power_average_w)
    return counter(curve, looks.t_s, looks.energy_j, instant), instant, average
