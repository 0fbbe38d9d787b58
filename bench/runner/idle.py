"""The idle power of a machine with the model loaded and nothing asked: what net joules are net of."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bench.core.block import Idle
from bench.core.energy import DomainKind
from bench.meters.rig import Rig
from bench.records.calibration import Calibration

SETTLING_MAX_S = 10.0
"""Longest wait before a look at idle: a heat sink fades for a minute, by a watt or two."""


@dataclass(frozen=True)
class IdleSeen:
    """One look at idle: watts by domain, their spread where power was sampled, and what could not be read."""

    power_w: dict[str, float]
    sd_w: dict[str, float]
    kinds: dict[str, DomainKind]
    absent: dict[str, str]


def settling_s(at_least_s: float, cards: Iterable[Calibration | None]) -> float:
    """Seconds until these cards have settled for a look at idle, as far as calibrated; at most 10 s."""
    return max([at_least_s, *(min(SETTLING_MAX_S, known.settles_in_s) for known in cards if known)])


def watch_idle(rig: Rig, settle_s: float, seconds: float) -> IdleSeen:
    """Wait until the work's last clocks have settled, then meter `seconds` of nothing."""
    time.sleep(settle_s)
    opened = rig.open()
    time.sleep(seconds)
    window = rig.close(opened)
    power_w, absent, sd_w = {}, {}, {}
    for domain, energy in window.energy.items():
        if energy.gross_j is None:
            absent[domain] = energy.reason or "no reading"
        else:
            power_w[domain] = energy.gross_j / window.seconds
    for gpu in rig.gpu.gpus:
        _, watts = rig.recorder.fast(gpu.index, window.start_ns, window.end_ns, "power_instant_w")
        if len(watts) > 1:
            sd_w[gpu.domain] = float(np.std(watts, ddof=1))
    kinds = {domain: energy.kind for domain, energy in window.energy.items()}
    return IdleSeen(power_w, sd_w, kinds, absent)


def combine(
    before: IdleSeen | None,
    after: IdleSeen | None,
    missing: str = "the case ended before it was looked at",
) -> dict[str, Idle]:
    """Idle by domain for the record: the mean of both looks, or the one there is; why one is `missing`."""
    looks = [look for look in (before, after) if look is not None]
    found: dict[str, Idle] = {}
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
        found[domain] = Idle(
            power_w=sum(values) / len(values) if values else None,
            sd_w=sum(spreads) / len(spreads) if spreads else None,
            before=before.power_w.get(domain) if before else None,
            after=after.power_w.get(domain) if after else None,
            kind=next(look.kinds[domain] for look in looks if domain in look.kinds),
            absent=absent,
        )
    return found
