"""The cards: for each one everything that decides how good a figure can be.

    for finding in findings(drivers, gpus, watched, results):
        print(finding.subject, finding.name, finding.state)

A check is a function that gives findings, each with the command that would improve it where there is one. It
asks the driver only and changes no setting. What needs time, how often a counter ticks, was sampled before
(`gpu_samples`) and comes as `watched`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.core.calibration import WANTED_TICKS
from bench.core.machine import GpuFacts
from bench.core.observed import COUNTER_COVERS
from bench.core.provenance import THROTTLE_REASONS
from bench.core.repetition import LONGEST_BLOCK_S
from bench.core.words import counted
from bench.doctor.findings import Finding, findings_of
from bench.doctor.gpu_samples import WatchedCard
from bench.machine import provenance
from bench.machine.gpu_processes import others_on
from bench.meters import sampling
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.store.calibration import load
from bench.store.results import slug

SLOW_CALL_S = 0.010
WARM_C = 60.0
"""A card that does nothing and is warmer than this still cools down, or gets too little air."""
BUSY_PERCENT = 5
FREE_SHARE = 0.9
PROGRAMS = "other programs"
COUNTER_CHECKS = ("MIG", "counter scope")
"""Findings of a counter that covers more than its card: where one is `missing`, no figure has scope gpu."""


def findings(
    drivers: GpuDrivers, gpus: Sequence[Gpu], watched: Mapping[str, WatchedCard], results: Path
) -> Iterator[Finding]:
    """All about the cards to look at; `watched` has the samples of each, by UUID."""
    for gpu in gpus:
        subject = f"gpu {gpu.index}"
        yield from findings_of(subject, "card", partial(card, gpu, watched[gpu.uuid], len(gpus)))
        yield from findings_of(subject, "calibration", partial(calibration, drivers, gpu, results))


def card(gpu: Gpu, seen: WatchedCard, cards: int) -> Iterator[Finding]:
    """Everything about one card; `seen` has its samples, `cards` is how many are read in turn."""
    subject = f"gpu {gpu.index}"
    facts = gpu.identity()
    yield Finding(subject, "card", "info", f"{gpu.name}, {gpu.uuid}.")
    for name, check in {
        "energy counter": lambda: _counter(subject, gpu, seen),
        "counter tick": lambda: _tick(subject, seen),
        "reading call": lambda: _call(subject, seen, cards),
        "counter scope": lambda: _scope(subject, gpu, seen),
        "power now": lambda: _power(subject, gpu, seen),
        "temperature": lambda: _temperature(subject, gpu),
        "throttling": lambda: _throttling(subject, gpu),
        "power limit": lambda: _power_limit(subject, gpu, facts),
        "persistence mode": lambda: _persistence(subject, gpu, facts),
        "MIG": lambda: _mig(subject, gpu, facts),
        PROGRAMS: lambda: _processes(subject, gpu),
        "memory": lambda: _memory(subject, gpu, facts),
    }.items():
        yield from findings_of(subject, name, check)


def calibration(drivers: GpuDrivers, gpu: Gpu, results: Path) -> Iterator[Finding]:
    """Whether it is known how the card's sensor sees, and whether it was found with this driver."""
    subject, name = f"gpu {gpu.index}", "calibration"
    command = f"python -m bench calibrate --gpus {gpu.index}" if gpu.facts.visible_by else None
    found = load(results / slug(str(provenance.machine(drivers).name)), gpu.uuid)
    if found is None:
        prior = gpu.facts.gain
        gain = f"taken to be within ±{prior.half_width * 100:.3g} % ({prior.origin})" if prior else "unknown"
        text = f"None: how much of the time its sensor sees is taken from its name, and its gain is {gain}."
        yield Finding(subject, name, "info", text, command)
        return
    share = "an unknown share" if found.share_seen is None else f"{found.share_seen:.0%}"
    gain = "its gain is unknown" if found.line is None else f"it reads {found.line.gain:.3f} times the truth"
    text = f"Of {found.created}: its sensor sees {share} of the time, {gain}"
    driver = gpu.versions().driver
    if found.driver != driver:
        text = f"{text}; but with driver {found.driver}, and now it is {driver}."
        yield Finding(subject, name, "warn", text, command)
        return
    yield Finding(subject, name, "ok", f"{text}.")


def _command(gpu: Gpu, name: str, **values: float) -> str | None:
    """Command for a person to type about this card; `None` if its driver has none for the finding."""
    command = gpu.facts.commands.get(name)
    return command.format(number=gpu.number, **values) if command else None


def _counter(subject: str, gpu: Gpu, seen: WatchedCard) -> Sequence[Finding]:
    name = "energy counter"
    if seen.has_counter and seen.steps:
        text = "The card counts its joules itself: figures of scope gpu are measured."
        return [Finding(subject, name, "ok", text)]
    if seen.has_counter:
        text = (
            f"The counter did not move in {seen.watched_s:.1f} s: blocks would be invalid (no reading). "
            "Reload the driver, or choose another card with --gpus."
        )
        return [Finding(subject, name, "missing", text, _command(gpu, name))]
    reason = seen.reason or "no value"
    if seen.power_w is None:
        text = f"Neither an energy counter nor a power reading ({reason}): this card cannot be metered."
        return [Finding(subject, name, "missing", text)]
    text = f"None ({reason}); the power readings are integrated instead, which sees less of short peaks."
    return [Finding(subject, name, "warn", text)]


def _tick(subject: str, seen: WatchedCard) -> Sequence[Finding]:
    if seen.tick_s is None:
        if not seen.has_counter:
            return []
        text = f"Not found: {counted(seen.steps, 'step')} of the counter in {seen.watched_s:.1f} s."
        return [Finding(subject, "counter tick", "warn", text)]
    every = f"every {seen.look_s * 1e3:.1f} ms"
    how = f"found by reading it {every} for {seen.watched_s:.1f} s ({counted(seen.steps, 'step')})"
    if seen.every_look:
        text = f"The counter moves at every look, so at least {every}; {how}."
        return [Finding(subject, "counter tick", "ok", text)]
    tick = f"The counter ticks every {seen.tick_s * 1e3:.0f} ms, {how}"
    ticks = f"a block of {LONGEST_BLOCK_S:.0f} s has {LONGEST_BLOCK_S / seen.tick_s:.0f} ticks"
    wanted_s = WANTED_TICKS * seen.tick_s
    if wanted_s <= 1.1 * LONGEST_BLOCK_S:
        return [Finding(subject, "counter tick", "ok", f"{tick}: {ticks}.")]
    text = f"{tick}: {ticks}, {WANTED_TICKS} are wanted."
    seconds = math.ceil(0.98 * wanted_s / 10) * 10  # 500.4 ms is 500 ms, found with late looks
    command = f"python -m bench run --block-seconds {seconds}"
    return [Finding(subject, "counter tick", "warn", text, command)]


def _call(subject: str, seen: WatchedCard, cards: int) -> Sequence[Finding]:
    cost = f"One look at energy and power takes {seen.call_s * 1e3:.2f} ms (median of {seen.looks})"
    if cards * seen.call_s > 1 / sampling.FAST_HZ:
        text = f"{cost}: {cards} cards take longer than the recorder's {1e3 / sampling.FAST_HZ:.0f} ms tick."
        return [Finding(subject, "reading call", "warn", text, f"python -m bench run --gpus {subject[4:]}")]
    if seen.call_s > SLOW_CALL_S:
        return [Finding(subject, "reading call", "warn", f"{cost}: a window's edges are that blurred.")]
    return [Finding(subject, "reading call", "ok", f"{cost}.")]


def _scope(subject: str, gpu: Gpu, seen: WatchedCard) -> Sequence[Finding]:
    if gpu.counts_more() == "module":
        covers = f"By its name this is a Grace module: a counter covers {COUNTER_COVERS['module']}."
        if not seen.has_counter:
            return [Finding(subject, "counter scope", "warn", covers)]
        text = (
            f"{covers} That is not scope gpu: blocks would be invalid (module counter). Choose another card."
        )
        return [Finding(subject, "counter scope", "missing", text)]
    return [Finding(subject, "counter scope", "ok", "By its name the counter is this card's alone.")]


def _power(subject: str, gpu: Gpu, seen: WatchedCard) -> Sequence[Finding]:
    name = "power now"
    if seen.power_w is None:
        return [Finding(subject, name, "missing", f"No power can be read: {seen.reason or 'no value'}.")]
    source = "from the counter" if seen.power_source == "counter" else "mean of the power readings"
    watts = f"{seen.power_w:.1f} W over {seen.watched_s:.1f} s ({source})"
    busy = gpu.snapshot().utilisation_percent
    if busy is not None and busy > BUSY_PERCENT:
        text = f"{watts}, but the card is {busy} % busy: this is not its idle power."
        return [Finding(subject, name, "warn", text, _command(gpu, PROGRAMS))]
    return [Finding(subject, name, "info", f"{watts}, idle: a run measures it again with the model loaded.")]


def _temperature(subject: str, gpu: Gpu) -> Sequence[Finding]:
    celsius = gpu.snapshot().temperature_c
    if celsius is None:
        return [Finding(subject, "temperature", "info", "It cannot be read: drift with it goes unseen.")]
    if celsius > WARM_C:
        text = f"{celsius} °C without work of ours: let it cool down, or mend the air flow."
        return [Finding(subject, "temperature", "warn", text, _command(gpu, "temperature"))]
    return [Finding(subject, "temperature", "ok", f"{celsius} °C.")]


def _throttling(subject: str, gpu: Gpu) -> Sequence[Finding]:
    mask = gpu.snapshot().throttle_mask
    if mask is None:
        return [Finding(subject, "throttling", "info", "It cannot be read: a slowdown would go unseen.")]
    names = [name for bit, name in THROTTLE_REASONS.items() if int(mask) & bit]
    if names:
        text = f"The card is held back now ({', '.join(names)}): joules and times are not its best."
        return [Finding(subject, "throttling", "warn", text, _command(gpu, "throttling"))]
    return [Finding(subject, "throttling", "ok", "Its clocks are not throttled now.")]


def _unread(subject: str, name: str, reason: str | None) -> Sequence[Finding]:
    return [Finding(subject, name, "info", f"It cannot be read: {reason or 'no value'}.")]


def _power_limit(subject: str, gpu: Gpu, facts: GpuFacts) -> Sequence[Finding]:
    limit, default = facts.power_limit_w, facts.power_limit_default_w
    if limit is None or default is None:
        reason = facts.absent.get("power_limit_w") or facts.absent.get("power_limit_default_w")
        return _unread(subject, "power limit", reason)
    if abs(limit - default) < 1:
        return [Finding(subject, "power limit", "ok", f"{limit:.0f} W, the default.")]
    text = (
        f"{limit:.0f} W where {default:.0f} W is the default: it changes joules and times, and is recorded."
    )
    return [Finding(subject, "power limit", "warn", text, _command(gpu, "power limit", watts=default))]


def _persistence(subject: str, gpu: Gpu, facts: GpuFacts) -> Sequence[Finding]:
    name, on = "persistence mode", facts.persistence_mode
    if on is None:
        reason = facts.absent.get("persistence_mode")
        return (
            _unread(subject, name, reason) if reason else []
        )  # without a reason, its vendor has no such mode
    if on:
        return [Finding(subject, name, "ok", "On: the driver stays loaded between runs.")]
    text = "Off: the driver unloads between runs, so starts are slow and counter and idle power may jump."
    return [Finding(subject, name, "warn", text, _command(gpu, name))]


def _mig(subject: str, gpu: Gpu, facts: GpuFacts) -> Sequence[Finding]:
    if facts.mig is None:
        reason = facts.absent.get("mig")
        return [Finding(subject, "MIG", "ok", f"Not in use ({reason}).")] if reason else []
    if not facts.mig:
        return [Finding(subject, "MIG", "ok", "Off: the card is whole.")]
    text = "On: power and energy are the whole card's, not a slice's, so a run refuses to work on this card."
    return [Finding(subject, "MIG", "missing", text, _command(gpu, "MIG"))]


def _processes(subject: str, gpu: Gpu) -> Sequence[Finding]:
    name = PROGRAMS
    others, reason = others_on(gpu)
    if others is None:
        text = f"It cannot be seen who else computes here: {reason}."
        return [Finding(subject, name, "warn", text)]
    if others:
        shown = ", ".join(map(str, others[:8]))
        text = f"{len(others)} on this card (process {shown}): their joules would count as yours."
        return [Finding(subject, name, "warn", text, _command(gpu, name))]
    return [Finding(subject, name, "ok", "None computes on this card.")]


def _memory(subject: str, gpu: Gpu, facts: GpuFacts) -> Sequence[Finding]:
    total, free = facts.memory_bytes, gpu.memory_free_bytes()
    if total is None or free is None:
        return _unread(subject, "memory", facts.absent.get("memory_bytes"))
    text = f"{free / 1e9:.0f} GB free of {total / 1e9:.0f} GB"
    if free < FREE_SHARE * total:
        return [
            Finding(
                subject, "memory", "warn", f"{text}: other processes use the rest.", _command(gpu, PROGRAMS)
            )
        ]
    return [Finding(subject, "memory", "ok", f"{text}.")]
