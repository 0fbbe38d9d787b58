"""`python -m scripts.evidence.sensor`: what a calibration leaves open about a card's sensor, as JSON.

    steady    the energy counter against the integral of instant power, idle and under a steady load
    phases    a load of the sensor's own period, begun at eight phases of it: a counter that sees part of the
              time reads it up to twice as high or not at all, one that sees everything reads it alike
    scopes    power and energy of GPU, memory and module, where the driver has them
    call      what one look at energy and power costs

The load is that of `bench calibrate`, and no setting of the card is changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import pynvml
from scipy import integrate

from bench.calibrate import procedure
from bench.calibrate.decay import drawn
from bench.cli import options
from bench.errors import PrerequisiteError
from bench.machine import provenance
from bench.meters.fast_samples import FastSamples, sample_while
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.gpus.nvml import NvmlGpu
from bench.meters.nvml_library import ENERGY, POWER_AVERAGE, POWER_INSTANT, ask
from bench.store import calibration
from bench.store.results import slug
from bench.worker.messages import LoadDone, LoadStep
from scripts.evidence.probing import note, print_json

PHASES = 8
USUAL_PERIOD_S = 0.1
SETTLE_S = 2.0
SCOPES = {"gpu": 0, "module": 1, "memory": 2}
FIELDS = {"energy_j": 191, "power_average_w": POWER_AVERAGE, "power_instant_w": POWER_INSTANT}
FULL_TIME, PART_TIME = 0.15, 0.5
"""Range of the eight readings over what was drawn: below the one it sees everything, above the other not."""


def steady(bench: procedure.LoadedGpu, level: str, seconds: float) -> dict[str, Any]:
    """Watts by the counter and by the integral of instant power over the same stretch of a steady load."""
    bench.drive((LoadStep(level, SETTLE_S),))  # type: ignore[arg-type]
    _, looks = bench.drive((LoadStep(level, seconds),))  # type: ignore[arg-type]
    moves_s, joules = drawn(looks)
    if len(moves_s) < 3:
        return {"level": level, "counter_w": None, "reason": "the counter moved too seldom"}
    begin_s, end_s = float(moves_s[1]), float(moves_s[-1])
    counter_w = float((joules[-1] - joules[1]) / (end_s - begin_s))
    inside = (looks.t_s >= begin_s) & (looks.t_s <= end_s) & ~np.isnan(looks.power_instant_w)
    if inside.sum() < 2:
        return {"level": level, "counter_w": counter_w, "integrated_w": None, "reason": "no instant power"}
    t_s, watts = looks.t_s[inside], looks.power_instant_w[inside]
    integrated_w = float(integrate.trapezoid(watts, t_s) / (t_s[-1] - t_s[0]))
    apart = counter_w / integrated_w - 1
    return {
        "level": level,
        "seconds": end_s - begin_s,
        "counter_w": counter_w,
        "integrated_w": integrated_w,
        "apart": apart,
    }


def phases(
    bench: procedure.LoadedGpu,
    look: Callable[[float], FastSamples],
    period_s: float,
    seconds: float,
    watts: tuple[float, float],
) -> dict[str, Any]:
    """Readings of a load that is high for half of each period, by phase, over what it drew."""
    begun_s = time.monotonic()
    readings = []
    for number in range(PHASES):
        driven, looks = _in_step(bench, look, begun_s, period_s, number / PHASES, seconds)
        readings.append(_seen(driven, looks, *watts))
    shares = [share for share in readings if share is not None]
    spread = max(shares) - min(shares) if len(shares) == PHASES else None
    return {"period_s": period_s, "seen_over_drawn": readings, "range": spread, "verdict": verdict(spread)}


def verdict(spread: float | None) -> str:
    """In words what a range of readings means."""
    if spread is None:
        return "not known: the counter moved too seldom"
    if spread < FULL_TIME:
        return "sees all of the time"
    return "sees part of the time" if spread > PART_TIME else "unclear"


def _in_step(
    bench: procedure.LoadedGpu,
    look: Callable[[float], FastSamples],
    begun_s: float,
    period_s: float,
    phase: float,
    seconds: float,
) -> tuple[list[LoadDone], FastSamples]:
    """Waves that each begin on a grid of absolute time, shifted by a share of its period."""
    first = int((time.monotonic() - begun_s) / period_s) + 2
    driven, looks = [], []
    for number in range(first, first + round(seconds / period_s)):
        looks.append(look(begun_s + (number + phase) * period_s))
        wave, during = bench.drive((LoadStep("high", period_s / 2),))
        driven.append(wave)
        looks.append(during)
    return driven, FastSamples.joined(looks)


def _seen(driven: list[LoadDone], looks: FastSamples, idle_w: float, high_w: float) -> float | None:
    """Watts above idle by the counter over those by the load's own edges, between two of its moves."""
    moves_s, joules = drawn(looks)
    if len(moves_s) < 3:
        return None
    begin_s, end_s = float(moves_s[1]), float(moves_s[-1])
    edges_s = [tuple(edge / 1e9 for edge in wave.edges_ns) for wave in driven]
    high_s = sum(max(0.0, min(end, end_s) - max(start, begin_s)) for start, end in edges_s)
    if high_s <= 0:
        return None
    read_j = float(joules[-1] - joules[1]) - idle_w * (end_s - begin_s)
    return read_j / ((high_w - idle_w) * high_s)


def scopes(gpu: NvmlGpu) -> dict[str, Any]:
    """Each field at each scope, in watts and joules, or the reason why there is none."""
    values: dict[str, Any] = {}
    for scope, number in SCOPES.items():
        for name, field_id in FIELDS.items():
            values.setdefault(name, {})[scope] = _field(gpu, field_id, number)
    values["counter_j"] = _field(gpu, ENERGY, 0)
    return values


def _field(gpu: NvmlGpu, field_id: int, scope: int) -> float | str | None:
    values, reason = ask(lambda: pynvml.nvmlDeviceGetFieldValues(gpu.handle, [(field_id, scope)]))
    if values is None:
        return reason
    (value,) = values
    if value.nvmlReturn != pynvml.NVML_SUCCESS:
        return str(pynvml.NVMLError(value.nvmlReturn))
    member = {pynvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal", pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal"}
    return float(getattr(value.value, member.get(value.valueType, "ullVal"))) / 1e3


def examine(drivers: GpuDrivers, gpu: Gpu, period_s: float, seconds: float) -> dict[str, Any]:
    """Everything about one card of NVML. Raises PrerequisiteError for another one."""
    if not isinstance(gpu, NvmlGpu):
        raise PrerequisiteError(f"{gpu.name} is not read through NVML.", "Name another card with --gpus.")

    def look(until_s: float) -> FastSamples:
        return sample_while(gpu, lambda: time.monotonic() < until_s)

    with procedure.loaded(drivers, gpu, note) as bench:
        note("steady loads")
        levels = [steady(bench, level, 2 * seconds) for level in ("idle", "middle", "high")]
        idle_w, high_w = levels[0]["counter_w"], levels[-1]["counter_w"]
        note(f"a load of {period_s * 1e3:.1f} ms at {PHASES} phases")
        if idle_w is None or high_w is None or high_w <= idle_w:
            in_step = {"range": None, "verdict": "not known: the load moved no counter"}
        else:
            in_step = phases(bench, look, period_s, seconds, (idle_w, high_w))
        costs_ms = look(time.monotonic() + 2.0).call_s * 1e3
    return {
        "uuid": gpu.uuid,
        "name": gpu.name,
        "steady": levels,
        "phases": in_step,
        "scopes": scopes(gpu),
        "call_ms": {
            "median": float(np.median(costs_ms)),
            "p99": float(np.quantile(costs_ms, 0.99)),
            "looks": len(costs_ms),
        },
    }


def period_of(results: Path, drivers: GpuDrivers, gpu: Gpu) -> float:
    """The sensor's period by its calibration, else its counter's tick, else the usual one."""
    calibrated = calibration.load(results / slug(str(provenance.machine(drivers).name)), gpu.uuid)
    if calibrated is None:
        return USUAL_PERIOD_S
    instant = calibrated.power_instant
    return calibrated.sensor_period_s or (instant.update_s if instant else None) or USUAL_PERIOD_S


@click.command()
@options.results_option
@options.gpus_option
@click.option("--seconds", type=options.Finite(min=0.3), default=6.0, help="Of load at each phase.")
def main(results: Path, gpus: str | None, seconds: float) -> None:
    """Print the sensor's answers on the card that a run would use."""
    print_json(lambda drivers, gpu: examine(drivers, gpu, period_of(results, drivers, gpu), seconds), gpus)


if __name__ == "__main__":
    main()
