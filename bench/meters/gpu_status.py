"""Status of a card from the recorder's latest samples, without a call to the driver.

    seen = gpu_status(recorder, gpu.index, time.monotonic_ns())
    print(seen.power_w, seen.temperature_c, seen.throttle)

Power is the counter's own slope over the last second, between moves put on their grid (`ticks`): it is the
mean of all that was drawn, where a power reading is a moment, or a mean of unknown length. Where the counter
yields no power, the sensor's reading replaces it, and `power_source` is "sensor".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.core.provenance import THROTTLE_REASONS
from bench.meters import ticks
from bench.meters.counter_checks import counter_anomaly
from bench.meters.recorder import FastValue, Recorder, SlowValue

SPAN_S = 1.0
"""Power now is the mean over this, or over two moves of a slower counter."""
LEARN_S = 4.0
"""The counter's moves are put on their grid over this; one that has not moved twice in it yields no power."""
FRESH_S = 3.0
"""Age beyond which a sample is not the present state."""


@dataclass(frozen=True)
class GpuStatus:
    """A card as last sampled; `None` for what is not reported, or was not within `FRESH_S`."""

    power_w: float | None
    power_source: Literal["counter", "sensor"] | None
    temperature_c: float | None
    sm_clock_mhz: float | None
    memory_clock_mhz: float | None
    throttle: tuple[str, ...] | None
    utilisation_percent: float | None


def gpu_status(recorder: Recorder, gpu_index: int, now_ns: int) -> GpuStatus:
    """The card's power, temperature, clocks, throttling and utilisation as of `now_ns`."""

    def slow(value: SlowValue) -> float | None:
        return _last(recorder.slow(gpu_index, now_ns - round(FRESH_S * 1e9), now_ns, value)[1])

    counted_w, mask = _counted_w(recorder, gpu_index, now_ns), slow("throttle_mask")
    read_w = _read_w(recorder, gpu_index, now_ns) if counted_w is None else None
    return GpuStatus(
        power_w=read_w if counted_w is None else counted_w,
        power_source="counter" if counted_w is not None else "sensor" if read_w is not None else None,
        temperature_c=slow("temperature_c"),
        sm_clock_mhz=slow("sm_clock_mhz"),
        memory_clock_mhz=slow("memory_clock_mhz"),
        throttle=None if mask is None else tuple(n for bit, n in THROTTLE_REASONS.items() if int(mask) & bit),
        utilisation_percent=slow("utilisation_percent"),
    )


def _counted_w(recorder: Recorder, gpu_index: int, now_ns: int) -> float | None:
    """The counter's slope between its last move and the one `SPAN_S` before."""
    begun_ns = now_ns - round(LEARN_S * 1e9)
    curve_ns, energy_j = recorder.counter_curve(gpu_index, begun_ns, now_ns, margin_s=0.0)
    if len(curve_ns) < 2 or counter_anomaly(recorder, gpu_index, begun_ns, now_ns) is not None:
        return None
    t_s = (curve_ns - curve_ns[0]) / 1e9
    if (moves := ticks.counter_updates(recorder, gpu_index, begun_ns, now_ns)) is not None:
        t_s, energy_j = moves.t_s, moves.energy_j
    first = max(0, int(np.searchsorted(t_s, t_s[-1] - SPAN_S + ticks.JITTER_S)) - 1)
    return float((energy_j[-1] - energy_j[first]) / (t_s[-1] - t_s[first]))


def _read_w(recorder: Recorder, gpu_index: int, now_ns: int) -> float | None:
    powers: tuple[FastValue, ...] = ("power_instant_w", "power_average_w")
    begun_ns = now_ns - round(SPAN_S * 1e9)
    readings = (recorder.fast(gpu_index, begun_ns, now_ns, power)[1] for power in powers)
    return next((float(np.mean(watts)) for watts in readings if len(watts)), None)


def _last(values: np.typing.NDArray[np.float64]) -> float | None:
    return float(values[-1]) if len(values) else None
