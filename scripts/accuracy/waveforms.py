"""What a card draws while it works: power in steps, exact in its integral.

    work = WAVEFORMS["page"](1.0, rng)      # one second of it, with the ripple of this draw
    work.events(start_ns)                   # what the stand-in's log is told

A draw differs from the next in the lengths of its steps by some percent, as real work does. After pages and
images the card keeps high clocks: 40 W more than idle, fading with 2 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from bench.worker.dealiasing import Dealiasing

IDLE_W = 70.0
AFTERGLOW_W, AFTERGLOW_S = 40.0, 2.0
AFTERGLOW_STEP_S, AFTERGLOW_END_S = 0.05, 8.0

Steps = Iterator[tuple[float, float]]
"""Seconds and watts, one after another."""


@dataclass(frozen=True)
class Work:
    """Items of work one after another, `pause_s` between them (left out for a pause of 0), and the tail.

    `steps` are (seconds, watts) of the items and pauses alike; `items_s` are the edges of the items.
    """

    steps: tuple[tuple[float, float], ...]
    items_s: tuple[tuple[float, float], ...]
    glows: bool

    @property
    def seconds(self) -> float:
        """From the first item's start to the last one's end."""
        return self.items_s[-1][1]

    @property
    def paused_s(self) -> float:
        """How long the card paused between items."""
        return self.seconds - sum(end - start for start, end in self.items_s)

    def events(self, start_ns: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """When which power begins, up to idle after the tail."""
        edges_s = [0.0, *accumulate(seconds for seconds, _ in self.steps)]
        watts = [watts for _, watts in self.steps]
        if self.glows:
            after_s = np.arange(0.0, AFTERGLOW_END_S, AFTERGLOW_STEP_S)
            middle_s = after_s + AFTERGLOW_STEP_S / 2
            edges_s = [*edges_s, *(edges_s[-1] + after_s[1:]), edges_s[-1] + AFTERGLOW_END_S]
            watts += [IDLE_W + AFTERGLOW_W * float(np.exp(-t_s / AFTERGLOW_S)) for t_s in middle_s]
        stamps = start_ns + np.round(np.array(edges_s) * 1e9).astype(np.int64)
        return stamps, np.array([*watts, IDLE_W])


Waveform = Callable[[float, np.random.Generator], Work]


def page(seconds: float, rng: np.random.Generator) -> Work:
    """Pages of about two seconds: a prefill burst, then a token every 24 ms or so."""

    def steps() -> Steps:
        length_s = seconds / max(1, round(seconds / 2.0))
        while True:
            yield 0.08 * length_s, 620.0
            left_s = 0.92 * length_s
            while left_s > 0:
                token_s = min(left_s, 0.024 * rng.uniform(0.95, 1.05))
                yield 0.6 * token_s, 340.0
                yield 0.4 * token_s, 270.0
                left_s -= token_s

    return _cut(steps(), seconds, glows=True)


def diffusion(seconds: float, rng: np.random.Generator) -> Work:
    """Images of about three seconds: a text encoder, denoising steps of 83 ms, a VAE."""

    def steps() -> Steps:
        length_s = seconds / max(1, round(seconds / 3.0))
        while True:
            yield 0.05 * length_s, 220.0
            left_s = 0.85 * length_s
            while left_s > 0:
                step_s = min(left_s, 0.083 * rng.uniform(0.97, 1.03))
                yield 0.7 * step_s, 560.0
                yield 0.3 * step_s, 400.0
                left_s -= step_s
            yield 0.10 * length_s, 470.0

    return _cut(steps(), seconds, glows=True)


def constant(seconds: float, _rng: np.random.Generator) -> Work:
    """The same power all along."""
    return _cut(iter([(seconds, 400.0)]), seconds, glows=False)


def bursts(seconds: float, rng: np.random.Generator) -> Work:
    """Busy and nearly idle for random times of a tenth of a second, as a server with few requests."""

    def steps() -> Steps:
        while True:
            yield rng.uniform(0.04, 0.16), 450.0
            yield rng.uniform(0.04, 0.20), 120.0

    return _cut(steps(), seconds, glows=False)


WAVEFORMS: dict[str, Waveform] = {
    "page": page,
    "diffusion": diffusion,
    "constant": constant,
    "bursts": bursts,
}


PERIOD_S = 0.1
"""Of work in step with a sensor that looks once in a tenth of a second."""
ITEM_PERIODS = 12


def in_step(seconds: float) -> Work:
    """High and low by turns with the sensor's own period, without a break."""
    return _cut(_periods(round(seconds / PERIOD_S) + 1), seconds, glows=True)


def shifted(seconds: float, shift: Dealiasing) -> Work:
    """The same as items of `ITEM_PERIODS` periods, with the rests between them that the worker makes."""
    steps: list[tuple[float, float]] = []
    items_s: list[tuple[float, float]] = []
    item_s = ITEM_PERIODS * PERIOD_S
    now_s, rested_s, rests = 0.0, -math.inf, 0
    while now_s + PERIOD_S + item_s <= seconds:
        if now_s - rested_s >= shift.every_s:
            rest_s = shift.rest_s(rests, now_s)
            steps.append((rest_s, IDLE_W + AFTERGLOW_W))
            now_s, rested_s, rests = now_s + rest_s, now_s + rest_s, rests + 1
        steps += _periods(ITEM_PERIODS)
        items_s.append((now_s, now_s + item_s))
        now_s += item_s
    return Work(tuple(steps), tuple(items_s), glows=True)


def _periods(periods: int) -> Steps:
    for _ in range(periods):
        yield 0.4 * PERIOD_S, 500.0
        yield 0.6 * PERIOD_S, 180.0


def _cut(steps: Steps, seconds: float, *, glows: bool) -> Work:
    """One item of exactly this length in seconds."""
    taken: list[tuple[float, float]] = []
    left_s = seconds
    for step_s, watts in steps:
        taken.append((min(step_s, left_s), watts))
        left_s -= step_s
        if left_s <= 0:
            break
    return Work(tuple(taken), ((0.0, seconds),), glows)


def truth_spans(work: Work, start_ns: int) -> Sequence[tuple[int, int]]:
    """The items' edges as moments."""
    return [(start_ns + round(start * 1e9), start_ns + round(end * 1e9)) for start, end in work.items_s]
