"""The keys of a case and their types: those of every case, and the options of all modalities.

option_types()["steps"]     # the annotation that bench/core/modality.py has for denoising steps
parsed_flags()["size"]      # the flag that sets width and height
"""

from __future__ import annotations

from types import NoneType
from typing import Annotated, Any, Union, get_args, get_type_hints

from pydantic import Field

from bench.core import modalities
from bench.core.modality import Dtype, Flag
from bench.core.workload import Workload
from bench.errors import PrerequisiteError

BatchSize = Annotated[int, Field(gt=0, le=4096)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Replicas = Annotated[int, Field(gt=0, le=64)]


def option_types() -> dict[str, Any]:
    """The type of each option that a case may set. Raises PrerequisiteError where two modalities disagree.

    Types are compared as text: each evaluation of an annotation makes another `Field`, equal to itself only.
    """
    types: dict[str, Any] = {}
    for modality in modalities.all_modalities():
        hints = get_type_hints(modality.options, include_extras=True)
        for key in modality.options.model_fields:
            kind = _without_none(hints[key])
            if key in modality.keys and repr(types.setdefault(key, kind)) != repr(kind):
                raise PrerequisiteError(
                    f"The modality {modality.name} defines the option {key} unlike another modality.",
                    "Give it another name, or the type that bench/core/modality.py has for it.",
                )
    return types


def case_types() -> dict[str, Any]:
    """The type of each key of a case, in the order of their definition."""
    of_all = {"dtype": Dtype, "batch": BatchSize, "seed": Seed, "workload": Workload, "replicas": Replicas}
    return of_all | option_types()


def parsed_flags() -> dict[str, Flag]:
    """Flags that set several keys of a case, such as `size`, by name."""
    flags = (flag for modality in modalities.all_modalities() for flag in modality.flags)
    return {flag.key: flag for flag in flags if flag.parse is not None}


def _without_none(hint: Any) -> Any:
    """The type of an option where it is set: what one modality needs, another may leave to the model."""
    if NoneType not in get_args(hint):
        return hint
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 else Union[tuple(kinds)]  # noqa: UP007 - of a list
