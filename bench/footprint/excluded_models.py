"""Records that may be compared with people and published figures: those of a real model.

A toy model shows that the whole path works, and its joules are of no use otherwise. Random weights
of a true shape have that shape's joules and no output: they are shown beside others on request only.

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
    """Whether the model's weights were random numbers."""
    return record.case.weights.kind == "random"


def set_aside(record: Record, *, shapes: bool) -> str | None:
    """Reason not to show a record beside people, published figures or other models; `None` if it may be."""
    if is_toy(record):
        return TOY
    return SHAPE if is_shape(record) and not shapes else None
