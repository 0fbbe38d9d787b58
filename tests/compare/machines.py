"""Records of named machines with one card."""

from __future__ import annotations

from typing import Any

from bench.core.record import Record
from tests.support.factory import block, record


def machine(name: str, *, driver: str = "580", limit_w: float = 350.0) -> dict[str, Any]:
    """A machine with one card."""
    card = {"uuid": f"GPU-{name}", "name": name, "power_limit_w": limit_w}
    return {"name": f"{name} 1", "id": name, "gpus": [card], "metered": [card["uuid"]], "driver": driver}


def on(name: str, joules: float, *, seconds: float = 30.0, limit_w: float = 350.0, **more: Any) -> Record:
    """A record of a machine: six quiet blocks of a page each."""
    made = [block(joules * factor, seconds=seconds) for factor in (0.99, 1.0, 1.01, 1.0, 0.995, 1.005)]
    return record(blocks=made, machine=machine(name, limit_w=limit_w), **more)
