"""Records of named machines with one card."""

from __future__ import annotations

from typing import Any

from bench.core.figures import Estimate, LatencyFigures, ServedFigures
from bench.core.record import Record
from tests.support.factory import block, case, record


def machine(name: str, *, driver: str = "580", limit_w: float = 350.0) -> dict[str, Any]:
    """A machine with one card."""
    card = {"uuid": f"GPU-{name}", "name": name, "power_limit_w": limit_w}
    return {"name": f"{name} 1", "id": name, "gpus": [card], "metered": [card["uuid"]], "driver": driver}


def on(name: str, joules: float, *, seconds: float = 30.0, limit_w: float = 350.0, **more: Any) -> Record:
    """A record of a machine: six quiet blocks of a page each."""
    made = [block(joules * factor, seconds=seconds) for factor in (0.99, 1.0, 1.01, 1.0, 0.995, 1.005)]
    return record(blocks=made, machine=machine(name, limit_w=limit_w), **more)


def latency(seconds: float) -> LatencyFigures:
    """A latency whose 99th percentile is three times its median."""
    each = Estimate(value=seconds, low=None, high=None, n=5)
    return LatencyFigures(median=each, p90=each, p99=each.model_copy(update={"value": 3 * seconds}))


def served(load: int, joules: float, seconds: float, machine: str = "card", **options: Any) -> Record:
    """A record of a server that was asked `load` requests at a time."""
    workload = {"kind": "concurrency", "load": load, "producer": "endpoint"}
    made = on(machine, joules, case=case(workload=workload, **options), label=f"tiny concurrency {load}")
    made.figures.served = ServedFigures(end_to_end_s=latency(seconds), ttft_s=latency(seconds / 10))
    return made


LOADS = (served(1, 900, 1.0), served(8, 300, 1.5), served(16, 310, 2.0), served(32, 150, 4.0))
"""Loads of one server, of which the third is beaten by the second."""
