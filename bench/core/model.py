"""The bases of what is read and stored: unknown keys and numbers without a value are refused."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictFloat,
    StrictInt,
    model_serializer,
)

Count = Annotated[int, Field(ge=0, lt=2**63)]
"""A whole number as it is stored: what fits 64 bits, so that every reader of the file can represent it."""

Number = StrictInt | StrictFloat
"""A number that is written again as it was read: 700 stays 700, and 700.0 stays 700.0."""


def check_interval(value: float, low: float | None, high: float | None) -> None:
    """Refuse an interval that does not contain its value. Raises ValueError; an absent end is not checked."""
    if (low is not None and low > value) or (high is not None and high < value):
        raise ValueError(f"{value} is outside its interval, {low} to {high}")


class Strict(BaseModel):
    """No unknown keys, no coercion, no NaN; a value cannot change after it is read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


class SchemaModel(BaseModel):
    """Unknown keys are refused, so that a misspelt field never becomes a silent `null`."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, protected_namespaces=(), populate_by_name=True
    )


class OpenModel(SchemaModel):
    """A part of a record with more keys than code reads; these are kept as they are.

    Only what was given or changed is written again: a key that a file lacks stays absent and never becomes
    `null`, so that the hash of a case is the same before and after.
    """

    model_config = ConfigDict(extra="allow")

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        given = self.model_fields_set
        return {key: value for key, value in dumped.items() if key in given or self._changed(key)}

    def _changed(self, key: str) -> bool:
        """Whether a key that was not given has a value: defaults here are `None` or empty."""
        return key not in type(self).model_fields or bool(getattr(self, key))

    def as_mapping(self) -> dict[str, Any]:
        """All keys that were given, known or not."""
        return self.model_dump()
