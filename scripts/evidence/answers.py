"""Shapes of what the probes print, by part; an answer of another shape is absent from the findings.

Attention.model_validate_json(Path("attention.json").read_text())
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Finite, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Access(StrictModel):
    """The card as NVML and PyTorch see it, and versions."""

    uuid: str
    identity: dict[str, Any]
    driver: dict[str, str | None]
    libraries: dict[str, str]
    git: dict[str, Any]
    cuda: str | None
    cudnn: int | None
    device: str
    product_of_ones: float


class Decode(StrictModel):
    """Milliseconds of one decoding step."""

    new_length: float
    known_length: float


class Mask(StrictModel):
    """Relative error of masked attention, or the reason why there is none."""

    relative_error: float | None
    reason: str | None = None


class Order(StrictModel):
    """One order of PyTorch's attention kernels."""

    decode_ms: Decode | None
    masks: dict[str, Mask]
    reason: str | None = None


class Attention(StrictModel):
    """Cost and errors of attention, by order of the kernels."""

    uuid: str
    orders: dict[str, Order]


class Level(StrictModel):
    """Watts of one steady load: by the counter, and by the integral of instant power."""

    level: str
    counter_w: float | None
    integrated_w: float | None = None
    apart: float | None = None
    seconds: float | None = None
    reason: str | None = None


class Phases(StrictModel):
    """Counter over what was drawn, for loads of the sensor's period at eight phases."""

    verdict: str
    range: float | None
    period_s: float | None = None
    seen_over_drawn: list[float | None] = []


class CallTimes(StrictModel):
    """Milliseconds of one look at energy and power."""

    median: float
    p99: float
    looks: int


class Sensor(StrictModel):
    """What a calibration leaves open about a sensor."""

    uuid: str
    name: str
    steady: list[Level]
    phases: Phases
    scopes: dict[str, dict[str, float | str | None] | float | str | None]
    call_ms: CallTimes


class Window(StrictModel):
    """Joules of one window by each program, and how far each is from this project's."""

    seconds: float
    joules: dict[str, float | None]
    apart: dict[str, float]


class Beside(StrictModel):
    """Windows beside other programs, and why one of them is absent."""

    windows: list[Window]
    absent: dict[str, str]


class Cost(StrictModel):
    """Time of the work with the meters on over that with them off, with its 95 % interval."""

    rounds: int
    ratio: float
    low: float
    high: float
    recorder_share: float
