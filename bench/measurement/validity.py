"""Validity rules of a block, as data.

A block that breaks a rule stays in the record, marked with the reason, and never enters the statistics.
Each rule has the observation, the limit, its meaning and the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.block import Block
from bench.core.domain import Domain, gpus
from bench.core.observed import COUNTER_COVERS, CounterDelay, GpuObserved
from bench.core.repetition import FEWEST_TICKS
from bench.measurement.rule import Rule
from bench.measurement.served_rules import SERVED_RULES
from bench.meters.suspension import LIMIT_S as SUSPENSION_LIMIT_S
from bench.meters.ticks import USUAL_TICK_S

PLAIN_TICKS = 2.0
"""CodeCarbon's plain difference misses up to a tick at either edge, at up to twice the mean power."""


def no_reading(block: Block, _limit: float) -> str | None:
    """Only what the headline rests on; a host domain without a reading costs scope `host` its figure."""
    for domain in gpus(block.energy) or block.energy:
        if block.energy[domain].gross_j is None:
            return f"{domain} gave no reading ({block.energy[domain].reason})"
    return None


def _wrong_output(block: Block, _limit: float) -> str | None:
    return None if block.observed.served else next(iter(block.observed.problems), None)


def _no_units(block: Block, _limit: float) -> str | None:
    return None if block.units else "no unit of output could be counted"


def _foreign(block: Block, _limit: float) -> str | None:
    pids = block.observed.foreign_pids
    return f"other processes computed on the metered GPU (pid {', '.join(map(str, pids))})" if pids else None


def _throttled(block: Block, limit: float) -> str | None:
    for uuid, observed in block.observed.gpus.items():
        for reason, share in (observed.throttled_share or {}).items():
            if reason != "power-cap" and share > limit:
                return f"{uuid} was slowed down ({reason}) for {share:.0%} of the time (limit {limit:.0%})"
    return None


def _few_ticks(block: Block, limit: float) -> str | None:
    for uuid, observed in block.observed.gpus.items():
        energy = block.energy.get(Domain.gpu(uuid).text)
        if energy is None or energy.gross_j is None or not energy.source.startswith("counter"):
            continue
        if energy.edge_u_j is not None and energy.source != "counter":
            continue  # its `edge_u_j` already includes that ticks are few
        ticks = observed.counter_ticks or 0
        if ticks < limit:
            return f"the energy counter of {uuid} moved {ticks} times (limit {limit:.0f})"
    return None


def _stalled(block: Block, limit: float) -> str | None:
    gap_s = block.observed.longest_sample_gap_s
    return f"the recorder saw nothing for {gap_s:.1f} s" if gap_s is not None and gap_s > limit else None


def _suspended(block: Block, limit: float) -> str | None:
    asleep_s = block.observed.suspended_s
    if asleep_s is None or asleep_s <= limit:
        return None
    return f"the machine was suspended for {asleep_s:.1f} s (limit {limit} s)"


def _paused(block: Block, limit: float) -> str | None:
    took = block.observed.batch_s
    if block.observed.served is not None:  # requests end when they like
        return None
    if took is None or took.longest <= max(limit * took.median, took.median + 1.0):
        return None
    longest_s, median_s = took.longest, took.median
    return f"a batch took {longest_s:.1f} s, the median is {median_s:.2g} s (limit {limit:.0f} times as long)"


def _late_sampler(block: Block, limit: float) -> str | None:
    gap_s = block.observed.sample_gap_p99_s
    if gap_s is None or gap_s <= limit:
        return None
    return f"one sample in a hundred came more than {gap_s:.2f} s after the one before (limit {limit:g} s)"


def _warming(block: Block, limit: float) -> str | None:
    for uuid, observed in block.observed.gpus.items():
        drift_k = observed.temperature_drift_k
        if drift_k is not None and abs(drift_k) > limit:
            return f"{uuid} went {drift_k:+.1f} K in the last third of the block (limit {limit:g} K)"
    return None


def _mig(block: Block, _limit: float) -> str | None:
    split = [uuid for uuid, observed in block.observed.gpus.items() if observed.counts_more == "mig"]
    return f"{split[0]} is split into MIG slices" if split else None


def _module(block: Block, _limit: float) -> str | None:
    for uuid, observed in block.observed.gpus.items():
        energy = block.energy.get(Domain.gpu(uuid).text)
        if observed.counts_more == "module" and energy and energy.source.startswith("counter"):
            return f"by its name {uuid} is part of a Grace module"
    return None


def _power_disagrees(block: Block, limit: float) -> str | None:
    allowed = limit * max(1.0, 30.0 / block.duration_s)
    for uuid, observed in block.observed.gpus.items():
        counted, integrated = block.energy.get(Domain.gpu(uuid).text), observed.integrated_instant_j
        if (
            counted is None
            or not counted.gross_j
            or integrated is None
            or not counted.source.startswith("counter")
        ):
            continue
        off = integrated / counted.gross_j - 1
        if abs(off) > allowed:
            return f"{uuid}: sampled power differs from the counter by {off:+.0%} (limit {allowed:.0%})"
    return None


def _edges_uncertain(block: Block, limit: float) -> str | None:
    for domain, energy in block.energy.items():
        if energy.edge_u_j is None or not energy.gross_j:
            continue
        relative = energy.edge_u_j / energy.gross_j
        if relative > limit:
            observation = (
                f"its edges leave {relative:.1%} of the joules of {domain} uncertain (limit {limit:.0%})"
            )
            late = (energy.edge_common_u_j or 0.0) > energy.edge_u_j / 2
            return (
                f"{observation}, since it is not known how late its counter publishes"
                if late
                else observation
            )
    return None


def _few_words(block: Block, limit: float) -> str | None:
    if block.words_kind != "counted" or not block.tokens or block.words is None:
        return None
    tokens = block.tokens - (block.observed.reasoning_tokens or 0)
    ratio = block.words / tokens if tokens > 0 else 0.0
    return f"{ratio:.2f} words a token (limit {limit})" if ratio < limit else None


def _meters_disagree(block: Block, limit: float) -> str | None:
    if block.codecarbon is None or block.codecarbon.disagreement is None:
        return None
    late_s = max(
        (_late_s(block, uuid, observed) for uuid, observed in block.observed.gpus.items()), default=0.0
    )
    beyond_s = max(0.0, block.codecarbon.duration_s - block.duration_s)
    allowed = limit * max(1.0, 30.0 / block.duration_s) + (late_s + beyond_s) / block.duration_s
    if abs(block.codecarbon.disagreement) <= allowed:
        return None
    return (
        f"CodeCarbon differs from the counter by {block.codecarbon.disagreement:+.1%} (limit {allowed:.1%})"
    )


def _late_s(block: Block, uuid: str, observed: GpuObserved) -> float:
    """By how many seconds of joules a plain difference is known to err: ticks, and a late counter."""
    delay = block.observed.counter_delay.get(Domain.gpu(uuid).text, CounterDelay())
    tick_s = observed.counter_tick_s or USUAL_TICK_S
    return PLAIN_TICKS * (tick_s + (delay.delay_s or 0.0) + (delay.scatter_s or 0.0))


RULES = (
    Rule(
        "no reading",
        None,
        "its energy is not known",
        "`python -m bench doctor` lists what can be metered.",
        no_reading,
    ),
    Rule(
        "wrong output",
        None,
        "joules of wrong output must not enter a figure",
        "Try another dtype.",
        _wrong_output,
    ),
    Rule("no units", None, "joules per unit cannot be formed", "Look at the outputs.", _no_units),
    Rule("foreign process", None, "its joules are in the figure", "Stop it, or use another GPU.", _foreign),
    Rule(
        "throttled", 0.05, "the card did not run as it would", "Let it cool, or mend its supply.", _throttled
    ),
    Rule(
        "few ticks",
        FEWEST_TICKS,
        "the window is too short for this counter",
        "Use longer blocks (--block-seconds).",
        _few_ticks,
    ),
    Rule(
        "stalled",
        1.2,
        "the machine or the recorder stalled inside the window",
        "Leave the machine alone while it measures.",
        _stalled,
    ),
    Rule(
        "suspended",
        SUSPENSION_LIMIT_S,
        "its clock stood still, and its meters may have gone on",
        "Keep the machine awake while it measures, such as by systemd-inhibit.",
        _suspended,
    ),
    Rule(
        "paused",
        2,
        "the worker stalled, or compiled anew, inside the window",
        "Leave the machine alone while it measures.",
        _paused,
    ),
    Rule(
        "late sampler",
        0.5,
        "edges and phases are only as sharp as that",
        "Give the recorder a core: run less beside it.",
        _late_sampler,
    ),
    Rule(
        "temperature drift",
        3.0,
        "the card was still warming up or cooling down",
        "Use longer blocks, or let it settle.",
        _warming,
    ),
    Rule(
        "MIG",
        None,
        f"the counter covers {COUNTER_COVERS['mig']}",
        "Measure where MIG is off.",
        _mig,
    ),
    Rule(
        "module counter",
        None,
        f"the counter covers {COUNTER_COVERS['module']}; that is not scope gpu",
        "Use another card.",
        _module,
    ),
    Rule(
        "few words",
        0.2,
        "the model went on after its end token",
        "Ask for fewer tokens (--new-tokens), or another model.",
        _few_words,
    ),
    Rule(
        "meters disagree", 0.01, "one of them is wrong", "Look at nvidia-smi beside a run.", _meters_disagree
    ),
    Rule(
        "edges uncertain",
        0.02,
        "they weigh too much beside so few joules",
        "Make the work longer, leave the card to this run alone, or calibrate it.",
        _edges_uncertain,
    ),
    Rule(
        "power disagrees", 0.05, "one of them is wrong", "Look at nvidia-smi beside a run.", _power_disagrees
    ),
    *SERVED_RULES,
)


def judge(block: Block, rules: Sequence[Rule] = RULES) -> Block:
    """The same block, marked invalid with every reason that applies."""
    reasons = [reason for rule in rules if (reason := rule.check(block)) is not None]
    return block.model_copy(update={"valid": not reasons, "reasons": reasons})
