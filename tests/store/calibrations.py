"""Calibrations with plain defaults, and records that hold one."""

from __future__ import annotations

from typing import Any

from bench.core.calibration import Calibration, Counter, SensorLine
from bench.core.record import Record
from tests.support.factory import GPU, block, energy, record

UUID = GPU.removeprefix("gpu:")

JOULES = (8900.0, 8950.0, 9000.0, 9050.0, 9100.0)
"""About 300 W for 30 s: one page a block."""


def counter(share: float | None = 1.0) -> Counter:
    return Counter(tick_s=0.1, share_seen=share, sensor_period_s=0.1, unexplained=0.01)


def line(gain: float = 1.05, offset_w: float | None = 0.0, **more: Any) -> SensorLine:
    facts: dict[str, Any] = {
        "created": "2026-01-31T13:00:00Z",
        "reference_j": [4200.0, 13200.0, 24000.0],
        "reference_error": 0.01,
        "gain_u": 0.006,
        "reference_u": 0.006,
        "from_w": 70.0,
        "to_w": 420.0,
    }
    return SensorLine(gain=gain, offset_w=offset_w, **(facts | more))


def known(**more: Any) -> Calibration:
    facts: dict[str, Any] = {
        "uuid": UUID,
        "name": "NVIDIA H200",
        "created": "2026-01-31T12:00:00Z",
        "driver": "580.95.05",
        "power_limit_w": 700.0,
        "looks": 40000,
        "look_s": 0.0015,
        "call_s": 0.0004,
        "counter": counter(),
        "power_instant": None,
        "power_average": None,
        "decay": None,
    }
    return Calibration(**(facts | more))


def sample(found: Calibration | None, source: str = "counter-padded", name: str = "NVIDIA H200") -> Record:
    """A record of a card that idles at 60 W, with its calibration or without one."""
    machine: dict[str, Any] = {"name": "m", "gpus": [{"uuid": UUID, "name": name}]}
    if found is not None:
        machine["calibration"] = {UUID: found.model_dump(mode="json", by_alias=True)}
    seen = {"gpus": {UUID: {"counter_ticks": 300}}}
    each = [
        block(
            energies={GPU: energy(joules, joules - 60 * 30).model_copy(update={"source": source})},
            observed=seen,
            rest_s=1e-6,
        )
        for joules in JOULES
    ]
    return record(blocks=each, machine=machine)
