"""The idle power of a machine with the model loaded and nothing asked: what net joules are net of.

    before = watch_idle(meter_set, settle_s=2.0, seconds=10.0)
    after = watch_idle(meter_set, settle_s=2.0, seconds=10.0)
    combine(before, after)["gpu:GPU-..."].power_w             # the mean of both looks

It is looked at before the blocks and after them, because a card drifts with its temperature. A card's power
is the slope between its counter's updates: a plain difference over 5 s would be off by up to 2 %.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import stdev

import numpy as np

from bench.core.block import Idle
from bench.core.calibration import Calibration
from bench.core.energy import DomainKind
from bench.meters.meter_set import MeterSet
from bench.meters.suspension import LIMIT_S, SUSPENDED, suspended_s
from bench.meters.ticks import counter_updates

SETTLING_MAX_S = 10.0
"""Longest wait before a look at idle: a heat sink fades for a minute, by a watt or two."""
LEAST_S, STEP_S = 5.0, 0.5
"""Shortest look that may end early, and the time from one check whether it may to the next."""


@dataclass(frozen=True)
class IdlePower:
    """One look at idle: watts by domain, their spread where power was sampled, and what could not be read."""

    power_w: dict[str, float]
    sd_w: dict[str, float]
    kinds: dict[str, DomainKind]
    absent: dict[str, str]


def settling_s(at_least_s: float, cards: Iterable[Calibration | None]) -> float:
    """Seconds until these cards have settled for a look at idle, as far as calibrated; at most 10 s."""
    return max(
        [at_least_s, *(min(SETTLING_MAX_S, calibration.settles_in_s) for calibration in cards if calibration)]
    )


def watch_idle(
    meter_set: MeterSet, settle_s: float, seconds: float, enough_w: float | None = None
) -> IdlePower:
    """Wait until the work's last clocks have settled, then meter `seconds` of nothing.

    The look ends earlier where the cards' power is known to `enough_w`, a standard error.
    """
    time.sleep(settle_s)
    opened = meter_set.open()
    _wait(meter_set, opened.start_ns, seconds, enough_w)
    window = meter_set.close(opened)
    power_w, absent, sd_w = {}, {}, {}
    kinds = {domain: energy.kind for domain, energy in window.energy.items()}
    if (suspended_s(meter_set.recorder, window.start_ns) or 0.0) > LIMIT_S:
        return IdlePower({}, {}, kinds, dict.fromkeys(window.energy, SUSPENDED))
    for domain, energy in window.energy.items():
        if energy.gross_j is None:
            absent[domain] = energy.reason or "no reading"
        else:
            power_w[domain] = energy.gross_j / window.seconds
    for gpu in meter_set.gpu.gpus:
        if window.energy[gpu.domain].gross_j is not None and window.energy[gpu.domain].source == "counter":
            between = counter_updates(meter_set.recorder, gpu.index, window.start_ns, window.end_ns)
            # A plain difference is off by up to a tick: 2 % of a look of 5 s at 100 ms.
            power_w[gpu.domain] = power_w[gpu.domain] if between is None else between.power_w
        _, watts = meter_set.recorder.fast(gpu.index, window.start_ns, window.end_ns, "power_instant_w")
        if len(watts) > 1:
            sd_w[gpu.domain] = float(np.std(watts, ddof=1))
    return IdlePower(power_w, sd_w, kinds, absent)


def _wait(meter_set: MeterSet, start_ns: int, seconds: float, enough_w: float | None) -> None:
    """Sleep through a look at idle, to its end or until it is good enough."""
    waited_s = seconds if enough_w is None else min(seconds, LEAST_S)
    time.sleep(waited_s)
    while enough_w is not None and waited_s < seconds:
        error_w = error_of_mean_w(meter_set, start_ns, time.monotonic_ns())
        if error_w is not None and error_w <= enough_w:
            return
        step_s = min(STEP_S, seconds - waited_s)
        time.sleep(step_s)
        waited_s += step_s


def error_of_mean_w(meter_set: MeterSet, start_ns: int, end_ns: int) -> float | None:
    """Standard error of the cards' mean power, from means of 1 s; `None` without samples of each card."""
    errors_w = []
    for gpu in meter_set.gpu.gpus:
        t_ns, watts = meter_set.recorder.fast(gpu.index, start_ns, end_ns, "power_instant_w")
        second = (t_ns - start_ns) // 1_000_000_000
        means_w = [float(np.mean(watts[second == each])) for each in np.unique(second)[:-1]]
        if len(means_w) < 2:
            return None
        errors_w.append(stdev(means_w) / math.sqrt(len(means_w)))
    return math.hypot(*errors_w) if errors_w else None


def combine(
    before: IdlePower | None,
    after: IdlePower | None,
    missing: str = "the case ended before it was looked at",
) -> dict[str, Idle]:
    """Idle by domain for the record: the mean of both looks, or the one there is; why one is `missing`."""
    looks = [look for look in (before, after) if look is not None]
    combined: dict[str, Idle] = {}
    for domain in sorted({domain for look in looks for domain in look.kinds}):
        values = [look.power_w[domain] for look in looks if domain in look.power_w]
        spreads = [look.sd_w[domain] for look in looks if domain in look.sd_w]
        absent = {}
        for name, look in (("before", before), ("after", after)):
            if look is None:
                absent[name] = missing
            elif domain in look.absent:
                absent[name] = look.absent[domain]
        if not values:
            absent["power_w"] = "no reading before or after"
        if not spreads:
            absent["sd_w"] = "this domain's power is not sampled"
        combined[domain] = Idle(
            power_w=sum(values) / len(values) if values else None,
            sd_w=sum(spreads) / len(spreads) if spreads else None,
            before=before.power_w.get(domain) if before else None,
            after=after.power_w.get(domain) if after else None,
            kind=next(look.kinds[domain] for look in looks if domain in look.kinds),
            absent=absent,
        )
    return combined
