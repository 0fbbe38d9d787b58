"""Error of a sensor that sees part of the time, or late: calibrated, or else assumed.

The sensors of A100, H100 and some others see a quarter of every 100 ms, or half of it: what the load does
between is not seen. Over steady work nothing is lost. Work that repeats in step with the sensor is seen at
its peaks alone, or never, however long it lasts. So without a calibration the assumed error is that of work
in step, unless the blocks had rests that shift it (`bench.worker.dealiasing`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bench.core.block import Block
from bench.core.budget import BudgetInput
from bench.core.energy import energy_sum
from bench.stats.budget.evidence import (
    BOTH,
    NEITHER,
    YANG,
    BudgetEvidence,
    BudgetQuantity,
    line,
    units,
    within,
)

PART_TIME_AT_1_S = 0.05
"""Relative standard error of 1 s seen by a sensor that watches 25 ms of every 100 ms; it falls with √time."""
IN_STEP = 0.45
"""The same for work in step with that sensor, of any length: over all phases a square wave of 100 ms errs by
0.33 to 0.57, by how deep it is (0.57 between 70 W and 400 W)."""
PART_TIME_CARDS = {"A100": 0.25, "H100": 0.25, "H200": 0.25, "GH200": 0.25, "V100": 0.50}
"""Share of the time that the power sensor sees. H200 and GH200 are taken to be as the H100."""
INTEGRATION_DELAY_S = 0.65
"""Sampled power is late by up to this: half of the 1 s average that is some cards' only power, a tick of
0.1 s and a sample of 43 ms. Windows of 2 s from idle into load are 0.57 s late (`scripts/bench-torture
faults`)."""


def power_delay(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Delay of power added up on a card without a counter: as calibrated, or `INTEGRATION_DELAY_S`."""
    gpus = evidence.read_from("power-integration")
    if not gpus:
        return
    lags = {name: _lag_s(evidence, name) for name in gpus}
    late_s = {name: INTEGRATION_DELAY_S if lag is None else lag for name, lag in lags.items()}

    def per_second_j(block: Block) -> float:
        joules = energy_sum(block.energy, gpus).gross_j
        assert joules is not None, "a budget is of blocks in which each domain has a reading"
        return joules / units(block) / block.duration_s

    unknown = None in lags.values()
    source = f"±{max(late_s.values()):.2g} s: no energy counter; how late sampled power "
    source += "may come" if unknown else "was seen to come"
    delay = within(max(late_s.values()), evidence.mean(per_second_j), "s")
    yield line(evidence, "delay of power", delay, BOTH, source, assumed=unknown)


def _lag_s(evidence: BudgetEvidence, domain: str) -> float | None:
    """Delay of the power that was added up, if the card was calibrated."""
    known = evidence.calibrations.get(domain)
    if known is None:
        return None
    average = domain in evidence.read_from("power-integration-average")
    field = known.power_average if average else known.power_instant
    return field.lag_s if field else None


def part_time_sensor(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """A sensor that sees part of the time samples the load: by its calibration, else by the card's name.

    It enters beside the run-to-run spread, because a load in step with the sensor errs alike in every block.
    Blocks with rests are out of step, so their error falls with time; for other blocks that is unknown.
    """
    if not evidence.gpus:
        return
    found = [_part_time(evidence, domain) for domain in evidence.gpus]
    part = [each for each in found if each.at_1_s > 0]
    source = "; ".join(sorted({each.source for each in part or found}))
    if not part:
        reason = "; ".join(sorted({each.reason for each in found}))
        unknown = BudgetQuantity("B", "normal", "1")
        yield line(evidence, "part-time sensor", unknown, NEITHER, source, reason=reason)
        return
    n, block_s = evidence.n, evidence.block_s
    joules = {each.domain: evidence.per_unit_j([each.domain], net=False) for each in part}
    total_j = sum(joules.values())
    at_1_s, in_step = (
        sum(error * joules[each.domain] for each, error in errors) / total_j
        for errors in ([(each, each.at_1_s) for each in part], [(each, each.in_step) for each in part])
    )
    assumed = any(each.assumed for each in part)
    if all(block.rest_s > 0 for block in evidence.blocks):
        relative, how = at_1_s / math.sqrt(block_s * n), f"{at_1_s * 100:.2g} %/√{block_s:.3g}/√{n}"
    else:
        relative, assumed = in_step, True
        how = f"{in_step * 100:.2g} %, because work without rests may keep step with the sensor"
    sampled = BudgetQuantity("B", "normal", "1", relative, total_j)
    source = f"{how}; {source}"
    yield line(evidence, "part-time sensor", sampled, BOTH, source, assumed=assumed)


@dataclass(frozen=True)
class _PartTime:
    """Properties of one card's sensor: relative errors, 0 where it sees all of the time.

    `at_1_s` is of a second of work that is out of step with it, `in_step` of work in step, of any length.
    """

    domain: str
    at_1_s: float
    in_step: float
    source: str
    reason: str = ""
    assumed: bool = False


def _part_time(evidence: BudgetEvidence, domain: str) -> _PartTime:
    known = evidence.calibrations.get(domain)
    if known is not None and known.share_seen is not None and known.sensor_period_s is not None:
        share, period_s = known.share_seen, known.sensor_period_s
        if share == 1:
            return _PartTime(domain, 0.0, 0.0, "calibrated", "the sensor was seen to see all the time")
        # A window represents its period: one errs as √((1−share)/share), all together as √period.
        wider = _gap(share)
        worse = wider * math.sqrt(period_s / 0.1)
        source = f"calibrated: {share:.0%} of every {period_s * 1e3:.3g} ms"
        return _PartTime(domain, PART_TIME_AT_1_S * worse, IN_STEP * wider, source)
    name = evidence.gpu_names.get(domain, "a card without a name")
    by_name = share_seen(name)
    if by_name is None:
        return _PartTime(domain, 0.0, 0.0, f"card's name; {YANG}", f"no such sensor is known of {name}")
    source = f"by its name {name} sees about {by_name:.0%} of the time, {YANG}"
    return _PartTime(domain, PART_TIME_AT_1_S, IN_STEP * _gap(by_name), source, assumed=True)


def _gap(share: float) -> float:
    """Error of a sensor that sees this share, as a multiple of one that sees a quarter."""
    return math.sqrt((1 - share) / share / 3)


def share_seen(card: str) -> float | None:
    """The share of the time that this kind of card's sensor sees; `None` where no gap is known of it."""
    for kind, share in PART_TIME_CARDS.items():
        if re.search(rf"\b{kind}\b", card):
            return share
    return None
