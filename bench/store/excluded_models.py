"""Which records are of a model at all, so that their joules may stand beside people and published figures.

A toy model shows that the whole path works, and its joules are of nothing that anybody uses. Random weights
of a true shape have that shape's joules and no output: they stand beside others only where a reader asks.

    reason = set_aside(record, shapes=False)      # `None` where the record is of a model
"""

from __future__ import annotations

from bench.core.record import Record

TOY = "a toy model, which shows that the whole path works: its joules mean nothing"
SHAPE = "random weights, which are the shape of a model and not one: --shapes shows them"
BEFORE_MARKED = frozenset({"tiny-bloom", "tiny-llama", "tiny-stable-diffusion"})
"""The toys of records that were written before `case.toy`."""


def is_toy(record: Record) -> bool:
    """Whether the catalogue marks the model as a toy, or would have."""
    return record.case.toy is True or record.case.model in BEFORE_MARKED


def is_shape(record: Record) -> bool:
    """Whether random numbers stood in for a model's weights."""
    return record.case.weights.kind == "random"


def set_aside(record: Record, *, shapes: bool) -> str | None:
    """Why a record stands beside no person, published figure or other model; `None` where it may."""
    if is_toy(record):
        return TOY
    return SHAPE if is_shape(record) and not shapes else None
