"""A case's point in a sweep: the values of the axes, and its place in the order of measuring."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bench.core.model import Count, SchemaModel

Order = Literal["blocked", "interleaved"]
"""`blocked`: model by model, the last axis fastest; `interleaved`: in an order that is drawn by a seed."""


class SweepPoint(SchemaModel, frozen=True):
    """One case of a sweep. `number` of `total` is its place among all cases, skipped ones too."""

    axes: dict[str, Any] = Field(default_factory=dict)
    """Values that the axes gave to keys of this case; `null` for the default of the model."""
    order: Order
    order_seed: Count | None = None
    """What an interleaved order was drawn by; `null` for a blocked one."""
    number: Count
    total: Count
