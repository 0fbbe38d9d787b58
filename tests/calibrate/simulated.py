"""A calibration's load and looks in virtual time: the stand-in's sensor, none of the waiting."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from bench.calibrate.excitation import LoadCurve, varied
from bench.meters.fast_samples import FastSamples
from bench.meters.gpus import GpuDrivers
from bench.worker.messages import LoadDone, LoadStep
from tests.standin import StandIn

HIGH_W, MIDDLE_W, IDLE_W = 400.0, 220.0, 70.0
WATTS = {"high": HIGH_W, "middle": MIDDLE_W, "idle": IDLE_W}
BEGIN_NS = 1_000_000_000


def drive(
    standin: StandIn, steps: tuple[LoadStep, ...], rise_s: float = 0.0, fall_s: float = 0.0
) -> LoadDone:
    """Put the steps into the stand-in's log, from a second after its clock's time on.

    With time constants the power follows as a staircase of 5 ms, and differs a little from wave to wave.
    """
    t_ns, watts, chance = standin.now_ns() + BEGIN_NS, IDLE_W, random.Random(3)
    edges_ns = [t_ns]
    for step in steps:
        towards_w = WATTS[step.level] * (chance.gauss(1, 0.03) if rise_s else 1.0)
        if rise_s:
            time_s = rise_s if towards_w > watts else fall_s
            for number in range(int(min(step.seconds, 8 * time_s) / 0.005)):
                away = (watts - towards_w) * math.exp(-(number + 0.5) * 0.005 / time_s)
                standin.load(0, t_ns + number * 5_000_000, towards_w + away)
            watts = towards_w + (watts - towards_w) * math.exp(-step.seconds / time_s)
        else:
            standin.load(0, t_ns, towards_w)
        t_ns += round(step.seconds * 1e9)
        edges_ns.append(t_ns)
    standin.load(0, t_ns, IDLE_W)
    return LoadDone(steps, tuple(edges_ns))


def look(
    standin: StandIn, drivers: GpuDrivers, until_ns: int, every_s: float = 0.0025, seed: int = 1
) -> FastSamples:
    """Look at card 0 of the virtual clock until then, now and then late, as on a machine that does more."""
    chance = random.Random(seed)
    samples = []
    while standin.now_ns() < until_ns:
        sample = drivers.gpus[0].sample()
        samples.append(replace(sample, t_ns=standin.now_ns()))
        late_s = 0.01 if chance.random() < 0.01 else 0.0
        standin.advance_ns(round((every_s * chance.uniform(0.7, 1.3) + late_s) * 1e9))
    return FastSamples.of(samples, [every_s] * len(samples))


def varied_load(
    standin: StandIn, drivers: GpuDrivers, seconds: float = 30.0, rise_s: float = 0.0, fall_s: float = 0.0
) -> tuple[LoadCurve, FastSamples]:
    """What a calibration sees of card 0."""
    driven = drive(standin, varied(seconds), rise_s, fall_s)
    return LoadCurve.of(driven), look(standin, drivers, driven.edges_ns[-1])
