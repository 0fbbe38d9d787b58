"""Noise floor of a machine: differences between equal cases, below which a difference means nothing.

It is seen in A/A pairs (`bench run --pair CASE CASE`): two sides of the very same case in turns, by the same
code. Two checkouts are that only where both are unchanged at one commit. The floor of a metric is the
farthest from equal that the interval of any of the card's A/A pairs reaches. Two runs on two days differ by
more than two sides in turns do, so for them it is never below `DEFAULT`.

Repeated runs of one case are not taken for A/A: between them the code may have changed, and a regression
would raise the floor that is to find it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.compare.identity import card
from bench.compare.metrics import METRICS, Metric
from bench.compare.record_set import StoredRecord
from bench.core.block import Block
from bench.core.measurement import Measurement
from bench.stats.pairs import log_ratios
from bench.stats.ratio import Ratio, paired

DEFAULT = 0.02
"""Typical difference of two runs on one card, for machines without an A/A pair."""
LEAST = 0.005
"""Smallest noise floor, also for a machine with quieter A/A pairs."""
LIKE_POWER = 0.10
"""At powers that differ by no more, the card's own error is the same for both and cancels."""


@dataclass(frozen=True)
class Floor:
    """The noise floor as a fraction, and where it comes from."""

    value: float
    source: str


Floors = Mapping[tuple[str, str], Floor]
"""By card and metric, where A/A pairs were found."""


def in_turns(a: Measurement, b: Measurement) -> bool:
    """Whether both are the sides of one pair run."""
    one, other = a.pair, b.pair
    return (
        one is not None
        and other is not None
        and one.side != other.side
        and (one.id, one.order, one.other_hash) == (other.id, other.order, b.work_key)
        and a.created == b.created
        and other.other_hash == a.work_key
        and card(a) == card(b)
        and all(len(_measured(side)) == one.order.count(side.pair.side) for side in (a, b) if side.pair)
    )


def compared_in_turns(
    a: Iterable[StoredRecord[Measurement]], b: Iterable[StoredRecord[Measurement]]
) -> set[str]:
    """The digests of both sides of every pair run that has one side among `a` and the other among `b`."""
    others: dict[object, list[StoredRecord[Measurement]]] = {}
    for other in b:
        if other.record.pair:
            others.setdefault(_run_of(other.record), []).append(other)
    return {
        side.digest
        for one in a
        if one.record.pair
        for other in others.get(_run_of(one.record), ())
        if in_turns(one.record, other.record)
        for side in (one, other)
    }


def pair_ratio(metric: Metric, a: Measurement, b: Measurement) -> Ratio | None:
    """`b` over `a`, sides of one pair run, from its pairs; `None` where no pair has both values."""
    assert a.pair is not None
    first, second = (a, b) if a.pair.side == "A" else (b, a)
    logs = log_ratios(_measured(first), _measured(second), a.pair.order, metric.block_value(a))
    return paired(logs if first is a else [-value for value in logs]) if logs else None


def known_floors(records: Iterable[Measurement]) -> Floors:
    """The floors that the A/A pairs among these records show."""
    reached: dict[tuple[str, str], list[float]] = {}
    for a, b in _same_against_same([record for record in records if record.pair and record.status == "ok"]):
        for metric in METRICS.values():
            ratio = pair_ratio(metric, a, b) if metric.of_block else None
            if ratio is not None and ratio.low and ratio.high:
                farthest = max(-math.log(ratio.low), math.log(ratio.high))
                reached.setdefault((card(a), metric.name), []).append(math.expm1(farthest))
    return {key: Floor(max(LEAST, *values), _source(len(values))) for key, values in reached.items()}


def floor(floors: Floors, record: Measurement, metric: Metric, *, turns: bool) -> Floor:
    """Noise floor of a comparison: the card's own, or the default with the reason."""
    own = floors.get((card(record), metric.name))
    if own is None:
        return Floor(DEFAULT, "default: no A/A pair of this machine")
    if not turns and own.value < DEFAULT:
        return Floor(DEFAULT, "default: measured one after the other")
    return own


def powers_apart(a: Measurement, b: Measurement) -> str | None:
    """Note if one card ran at powers so different that its error need not cancel."""
    powers = [_power_w(record) for record in (a, b)]
    present = [power for power in powers if power]
    if a.figures.headline_scope != "gpu" or len(present) < 2 or max(present) / min(present) <= 1 + LIKE_POWER:
        return None
    return (
        f"They ran at {present[0]:.0f} W and {present[1]:.0f} W: between such powers a card's own error "
        "can differ by up to 4.9 points, which the interval does not include."
    )


def _power_w(record: Measurement) -> float | None:
    scope = record.figures.headline_scope
    power = record.figures.power_w[scope].gross if scope else None
    return power.value if power else None


def _source(pairs: int) -> str:
    return f"{pairs} A/A pair{'s' if pairs > 1 else ''} of this machine"


def _same_against_same(records: Sequence[Measurement]) -> list[tuple[Measurement, Measurement]]:
    seconds: dict[object, list[Measurement]] = {}
    for record in records:
        if record.pair and record.pair.side == "B":
            seconds.setdefault(_run_of(record), []).append(record)
    return [
        (first, second)
        for first in records
        if first.pair and first.pair.side == "A" and first.pair.other_hash == first.work_key
        for second in seconds.get(_run_of(first), ())
        if in_turns(first, second) and _same_code(first, second)
    ]


def _run_of(record: Measurement) -> object:
    """Fields that both sides of a pair run share, and hardly another: it keeps the search for them short."""
    assert record.pair is not None
    return record.pair.id, record.created, card(record)


def _same_code(a: Measurement, b: Measurement) -> bool:
    """Whether both sides ran the same: this program's own code, or one commit beside the same libraries."""
    one, other = a.provenance, b.provenance
    sides = [side.git for side in (one, other) if side.git]
    if not any(git.checkout for git in sides):
        return True
    commits = {git.commit if git.dirty is False else None for git in sides}
    return len(sides) == 2 and len(commits) == 1 and None not in commits and one.libraries == other.libraries


def _measured(record: Measurement) -> list[Block]:
    """The blocks that a pair's order counts: all after warm-up, invalid ones included."""
    return [block for block in record.blocks if not block.warmup]
