"""Blocks of the record, built from a window and the worker's answer.

    block = build(case, window, produced, checked, phases, observed, warmup=False)
    block = without_rests(block, window, idle_w)      # joules and seconds of the rests taken out
    with_net(block, idle_w).energy["gpu:GPU-..."].net_j

A block is built with gross joules and judged at once. Idle is known only after the last block, so its net
joules come when the record is built.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from bench.catalog.cases import Case
from bench.core.block import Block, CodeCarbonTask, Phase
from bench.core.domain import gpus
from bench.core.energy import DomainEnergy, energy_sum
from bench.core.modality import CountedOutput
from bench.core.observed import BatchTimes, GpuObserved, MeanAndRange, Observed, ReplicasObserved
from bench.core.provenance import THROTTLE_REASONS
from bench.measurement.stopping import WarmupRound
from bench.measurement.validity import judge
from bench.meters.gpu import Gpu
from bench.meters.metered_window import MeteredWindow
from bench.meters.recorder import Recorder
from bench.meters.rests import CardAtRest
from bench.meters.suspension import suspended_s
from bench.meters.ticks import USUAL_TICK_S, seen_tick_s
from bench.worker.messages import CheckedOutput
from bench.worker.producer import Produced


def build(
    case: Case,
    window: MeteredWindow,
    produced: Produced,
    checked: CheckedOutput,
    phases: dict[str, Phase],
    observed: Observed,
    *,
    warmup: bool,
) -> Block:
    """A block, judged unless it is warm-up. `net_j` is filled in once the idle power is known."""
    output = _output(case, produced, checked)
    counted = case.modality.count(output)
    block = Block(
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        batches=len(produced.done),
        items=sum(batch.items for batch in produced.done),
        units=counted.units,
        tokens=round(output.tokens) or None,
        words=counted.words,
        words_kind=counted.words_kind,
        warmup=warmup,
        valid=True,
        rest_s=produced.rest_s,
        rests_ns=list(produced.rests_ns),
        rests_of={domain: list(spans) for domain, spans in produced.rests_of.items()},
        work_ends_of=dict(produced.work_ends_of),
        energy=window.energy,
        phases=phases,
        codecarbon=task(window),
        observed=_observed(window, produced, checked, observed),
    )
    return block if warmup else judge(block)


def _observed(
    window: MeteredWindow, produced: Produced, checked: CheckedOutput, observed: Observed
) -> Observed:
    """The same with what is known of the output and of those that made it."""
    problems = [problem for check in checked.found for problem in check.problems]
    prompt_tokens = sum(count for check in checked.found for count in check.prompt_tokens or ())
    heard_s = sum(seconds for check in checked.found for seconds in check.heard_seconds or ())
    reasoning = [check.reasoning_tokens for check in checked.found]
    observed = observed.model_copy()
    observed.batch_s = _batch_s(window, produced)
    if checked.peak:
        observed.peak_memory = checked.peak
    if problems:
        observed.problems = problems
    if prompt_tokens:
        observed.prompt_tokens = prompt_tokens
    if heard_s:
        observed.heard_seconds = heard_s
    if counts := _counts(checked):
        observed.counts = counts
    if produced.served:
        observed.served = produced.served
    if produced.per_replica:
        observed.replicas = _replicas(window, produced)
    if reasoning and None not in reasoning:
        observed.reasoning_tokens = sum(count for of_items in reasoning for count in of_items or ())
    return observed


def _counts(checked: CheckedOutput) -> dict[str, float]:
    """The modality's own counts, summed over the batches."""
    total: Counter[str] = Counter()
    for check in checked.found:
        total.update(check.counts)
    return dict(total)


def _batch_s(window: MeteredWindow, produced: Produced) -> BatchTimes:
    """Durations of the batches, from the window's start and the end of one to the end of the next."""
    ends = [[window.start_ns, *(batch.end_ns for batch in made)] for made in produced.sequences]
    seconds = np.concatenate([np.diff(of_one) for of_one in ends]) / 1e9
    late_s = (window.end_ns - max(of_one[-1] for of_one in ends)) / 1e9
    return BatchTimes(median=float(np.median(seconds)), longest=max(float(np.max(seconds)), late_s))


def _replicas(window: MeteredWindow, produced: Produced) -> ReplicasObserved:
    """Items of each replica, and for how much of the window not all of them were at work."""
    first_end_ns = min(made[-1].end_ns for made in produced.sequences if made)
    return ReplicasObserved(
        items=[sum(batch.items for batch in made) for made in produced.sequences],
        uneven_share=(window.end_ns - first_end_ns) / (window.end_ns - window.start_ns),
    )


def _output(case: Case, produced: Produced, checked: CheckedOutput) -> CountedOutput:
    """The engine's counts of the batches together, each by its share between the edges.

    `None` where it did not count it in all of them.
    """
    shares = produced.shares_inside

    def total(counts: Iterable[Sequence[float] | None]) -> float | None:
        listed = list(counts)
        if None in listed:
            return None
        return sum(share * sum(of_items or ()) for share, of_items in zip(shares, listed, strict=True))

    return CountedOutput(
        items=sum(share * batch.items for share, batch in zip(shares, produced.batches, strict=True)),
        tokens=total(check.tokens or () for check in checked.found) or 0.0,
        words=total(check.words for check in checked.found),
        seconds=total(check.seconds for check in checked.found),
        tokens_per_word=case.tokens_per_word,
        prompt_tokens=total(check.prompt_tokens for check in checked.found),
    )


def task(window: MeteredWindow) -> CodeCarbonTask | None:
    """CodeCarbon's task of a window, and the deviation of its GPU figure from ours."""
    if window.task is None:
        return None
    copied = window.task.model_copy(deep=True)
    ours_j = energy_sum(window.energy, gpus(window.energy)).gross_j
    if window.steady:
        copied.absent["disagreement"] = "the window is a stretch of what its task saw"
    elif copied.gpu_j is not None and ours_j is not None:
        copied.disagreement = (copied.gpu_j - ours_j) / ours_j
    else:
        copied.absent["disagreement"] = copied.absent.get("gpu_j", "no GPU reading of our own")
    return copied


def observe(recorder: Recorder, gpus: Sequence[Gpu], window: MeteredWindow) -> Observed:
    """The recorder's observations of each card in a window, and the host's load now."""
    start_ns, end_ns = window.start_ns, window.end_ns
    observed = Observed(
        gpus={gpu.uuid: _observe_gpu(recorder, gpu, start_ns, end_ns) for gpu in gpus},
        load_average_1m=os.getloadavg()[0],
        recorder_so_far=recorder.own_cost(),
        longest_sample_gap_s=recorder.longest_gap_s(start_ns, end_ns),
        sample_gap_p99_s=_gap_p99_s(recorder, gpus, start_ns, end_ns),
        suspended_s=suspended_s(recorder, start_ns),
    )
    delays = {domain: card.delay for domain, card in window.at_rest.items()}
    if delays:
        observed.counter_delay = delays
    return observed


def _gap_p99_s(recorder: Recorder, gpus: Sequence[Gpu], start_ns: int, end_ns: int) -> float | None:
    """The time from sample to sample that one in a hundred exceeds; `None` where no card is sampled."""
    for gpu in gpus:
        t_ns, _ = recorder.fast(gpu.index, start_ns, end_ns, "call_s")
        if len(t_ns) > 1:
            return float(np.percentile(np.diff(t_ns), 99)) / 1e9
    return None


def _observe_gpu(recorder: Recorder, gpu: Gpu, start_ns: int, end_ns: int) -> GpuObserved:
    _, counter = recorder.fast(gpu.index, start_ns, end_ns, "energy_j")
    _, temperature = recorder.slow(gpu.index, start_ns, end_ns, "temperature_c")
    _, clock = recorder.slow(gpu.index, start_ns, end_ns, "sm_clock_mhz")
    _, masks = recorder.slow(gpu.index, start_ns, end_ns, "throttle_mask")
    return GpuObserved(
        counter_tick_s=seen_tick_s(recorder, gpu.index, start_ns, end_ns),
        counter_ticks=int(np.count_nonzero(np.diff(counter))) if len(counter) else None,
        temperature_c=_spread(temperature),
        temperature_drift_k=_drift(temperature),
        sm_clock_mhz=_spread(clock),
        throttled_share=_shares(masks.astype(np.int64)) if len(masks) else None,
        counts_more=gpu.counts_more(),
        integrated_instant_j=recorder.integrate_power(gpu.index, start_ns, end_ns, ("power_instant_w",)),
    )


def _shares(masks: Any) -> dict[str, float]:
    """The share of the samples that each throttle reason was set in; reasons never set are left out."""
    shares = {name: float(np.mean((masks & bit) != 0)) for bit, name in THROTTLE_REASONS.items()}
    return {name: share for name, share in shares.items() if share > 0}


def _drift(values: Any) -> float | None:
    """Excess of the last third over the middle one.

    The first is left out: a card cools between blocks and is back at its temperature within seconds.
    """
    third = len(values) // 3
    return float(np.mean(values[-third:]) - np.mean(values[third:-third])) if third > 1 else None


def _spread(values: Any) -> MeanAndRange | None:
    if not len(values):
        return None
    return MeanAndRange(mean=float(np.mean(values)), min=float(np.min(values)), max=float(np.max(values)))


def gpu_power_w(block: Block) -> float | None:
    """Mean power of the metered cards over the window; `None` without any, or without a reading."""
    joules = block.joules("gpu").gross_j
    return None if joules is None else joules / block.duration_s


def warmup_round(block: Block) -> WarmupRound:
    """Signs that a case is warm: seconds and joules an item, and the hottest card.

    Of a server a token: the requests that end in a round of a few seconds are too few to agree.
    """
    joules = block.joules("gpu").gross_j
    cards = block.observed.gpus.values()
    served = block.observed.served
    made = served.output_tokens if served and served.output_tokens else block.items
    return WarmupRound(
        time_s=block.work_s / made,
        energy_j=None if joules is None else joules / made,
        temperature_c=max((seen.temperature_c.mean for seen in cards if seen.temperature_c), default=None),
        tick_share=max((seen.counter_tick_s or USUAL_TICK_S for seen in cards), default=0.0)
        / block.duration_s,
        middle_s=(block.start_ns + block.end_ns) / 2e9,
        seconds=block.duration_s,
    )


def with_net(block: Block, idle_w: dict[str, float]) -> Block:
    """The block with `net_j` for every domain whose idle power is known."""
    energy = {
        domain: e.model_copy(
            update={"net_j": e.gross_j - idle_w[domain] * _belonging_s(block, domain, e)}
            if e.gross_j is not None and domain in idle_w
            else {}
        )
        for domain, e in block.energy.items()
    }
    return block.model_copy(update={"energy": energy})


def without_rests(block: Block, window: MeteredWindow, idle_w: dict[str, float]) -> Block:
    """The block without the joules of its rests, which are not the work's.

    They are those that the counter showed. Where its ticks do not resolve them, a card rests at the power it
    has right after work, when its clocks are still high; of other domains only the idle power is known. Where
    neither is, the joules stay in. The power of a card at rest is held between its idle power and its power
    at work, also where the counter shows another.
    """
    if block.rest_s == 0:
        return block
    energy = {}
    for domain, e in block.energy.items():
        card, idling_w = window.at_rest.get(domain), idle_w.get(domain)
        rests = card.rests if card else None
        rest_s = block.domain_rest_s(domain)
        resting_w = _right_after_w(card) if rests is None or not rest_s else rests.energy_j / rest_s
        power_w = idling_w if resting_w is None else max(resting_w, idling_w or 0.0)
        if e.gross_j is not None and power_w is not None:
            power_w = min(power_w, e.gross_j / block.duration_s)
            rests_j = power_w * rest_s
            without = {
                "gross_j": e.gross_j - rests_j,
                "plain_j": None if e.plain_j is None else e.plain_j - rests_j,
                "rests_j": rests_j,
                "rests_u_j": rests.u_j if rests else None,
            }
            e = e.model_copy(update=without)
        energy[domain] = e
    return block.model_copy(update={"energy": energy})


def _right_after_w(card: CardAtRest | None) -> float | None:
    """A card's power right after the work; `None` where a counter of unknown delay may still show work."""
    return card.resting_w if card and card.delay.known else None


def _belonging_s(block: Block, domain: str, energy: DomainEnergy) -> float:
    """The seconds that a domain's joules belong to: without the rests where those are taken out."""
    return block.duration_s - (0.0 if energy.rests_j is None else block.domain_rest_s(domain))
