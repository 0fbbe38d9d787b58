"""The base of every part of a record, and the type of its counts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, lt=2**63)]
"""A whole number as it is stored: what fits 64 bits, so that every reader of the file can hold it."""


class Part(BaseModel):
    """Unknown keys are refused, so that a misspelt field never becomes a silent `null`."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, protected_namespaces=(), populate_by_name=True
    )
