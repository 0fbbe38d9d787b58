"""Axes of a sweep and exclusions from it, as they are written in models.yaml and on the command line.

SweepAxes.model_validate({"batch": [1, 8], "size": ["512", "1024x768"]}).changes()
# {"batch": [{"batch": 1}, {"batch": 8}], "size": [{"width": 512, "height": 512}, ...]}
Exclusion.model_validate({"model": "sdxl", "batch": 8}).matches("sdxl", {"batch": 8, ...})      # True

An axis is a key of a case, or a flag that sets several keys. `null` among its values leaves the key to the
model and the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Optional, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bench.catalog.option_types import case_types, parsed_flags
from bench.core import modalities
from bench.core.modality import Modality
from bench.core.model import Strict

Change = dict[str, Any]
"""Keys of a case with the values that a point of an axis gives them."""


def changes_of(key: str, value: Any) -> Change:
    """What a value of an axis sets: the key itself, or what the flag of that name sets."""
    flag = parsed_flags().get(key)
    if flag is None:
        return {key: value}
    assert flag.parse is not None, "that is what `parsed_flags` lists"
    return dict(flag.parse(str(value)))


Keyed = TypeVar("Keyed", bound="_Keyed")


def _listed(value: Any) -> Any:
    """A single value as a list of it."""
    return value if isinstance(value, list) else [value]


def _parseable(key: str) -> BeforeValidator:
    """Refuse a text that the flag cannot read."""

    def check(value: Any) -> str:
        try:
            changes_of(key, value)
        except ValueError as error:
            raise PydanticCustomError("flag_text", "{reason}", {"reason": str(error).rstrip(".")}) from None
        return str(value)

    return BeforeValidator(check)


def _axis_types() -> dict[str, Any]:
    """The type of one value of each axis."""
    texts = {key: Annotated[str, _parseable(key)] for key in parsed_flags()}
    return {key: Optional[kind] for key, kind in case_types().items()} | texts  # noqa: UP045 - of a value


AXES: dict[str, Any] = _axis_types()
"""Names of all axes, each with the type of its values."""


def axes_of_modalities(found: Iterable[Modality]) -> list[str]:
    """The axes that mean something to one of these modalities; all where there is none."""
    chosen = list(found)
    own = {key for modality in chosen for key in modality.keys | {flag.key for flag in modality.flags}}
    of_all = {key for modality in modalities.all_modalities() for key in modality.keys}
    shared = AXES.keys() - of_all - parsed_flags().keys()
    return [key for key in AXES if not chosen or key in shared | own]


def _with_axes(*before: BeforeValidator) -> Callable[[type[Keyed]], type[Keyed]]:
    """Add a list of values for each axis to a model; what comes before is applied to what was written."""

    def add(model: type[Keyed]) -> type[Keyed]:
        fields: dict[str, Any] = {
            key: (Annotated[(list[kind], *before, Field(min_length=1))], [])  # type: ignore[valid-type]
            for key, kind in AXES.items()
        }
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return add


class _Keyed(Strict):
    """Lists of values by key of a case, in the order in which they were written."""

    _written: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _in_order(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        checked = handler(raw)
        if isinstance(raw, Mapping):
            checked._written = tuple(key for key in raw if key in AXES)
        return checked

    def changes(self) -> dict[str, list[Change]]:
        """What each key sets, value by value."""
        return {key: [changes_of(key, value) for value in getattr(self, key)] for key in self._written}

    def keys_by_axis(self) -> dict[str, set[str]]:
        """The keys of a case that each axis sets."""
        return {
            axis: {key for change in changes for key in change} for axis, changes in self.changes().items()
        }


@_with_axes()
class SweepAxes(_Keyed):
    """Axes of a sweep: each key with the values that it takes, every combination being a case."""


@_with_axes(BeforeValidator(_listed))
class Exclusion(_Keyed):
    """Cases that a sweep leaves out: those that have one of the values of each key."""

    model: Annotated[list[str], BeforeValidator(_listed)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _not_all(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("exclusion", "an exclusion names at least one key of a case")
        return self

    @property
    def text(self) -> str:
        """As it is typed: `batch=8,dtype=float32`."""
        keys = (*(["model"] if self.model else []), *self._written)
        return ",".join(f"{key}={value}" for key in keys for value in getattr(self, key))

    def matches(self, model: str, values: Mapping[str, Any]) -> bool:
        """Whether a case of this model with these values is left out."""
        of_model = not self.model or model in self.model
        return of_model and all(
            any(all(key in values and values[key] == change[key] for key in change) for change in changes)
            for changes in self.changes().values()
        )


Exclusions = Annotated[tuple[Exclusion, ...], BeforeValidator(lambda value: tuple(_listed(value)))]
"""One exclusion or a list of them."""
