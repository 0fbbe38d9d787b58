"""Side of a pair, as typed: a model, and its differences from the rest of the command line.

side(catalogue, "bloom-560m,batch=8,dtype=float16", overrides)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml
from pydantic import ValidationError

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.models import Catalogue, Work
from bench.core.near_names import unknown
from bench.errors import UsageError


def side(catalogue: Catalogue, text: str, overrides: Overrides) -> Planned:
    """The one case behind `NAME[,key=value]...`. Raises UsageError."""
    name, *changes = (part.strip() for part in text.split(","))
    wanted = dict(_change(text, change) for change in changes)
    chosen = overrides.work.keys_set() | wanted
    try:
        work = Work.model_validate(chosen)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f'"{text}": {first["loc"][0]}: {first["msg"]}.') from None
    planned = plan(catalogue, [name], replace(overrides, work=work))
    if len(planned) != 1:
        raise UsageError(f'"{name}" is {len(planned)} cases, a side of a pair is one.', "Name a model.")
    return planned[0]


def _change(text: str, change: str) -> tuple[str, Any]:
    key, equals, value = change.partition("=")
    key = key.strip().replace("-", "_")
    if not equals or not value.strip():
        raise UsageError(f'"{text}": "{change}" is not key=value.', "For example: bloom-560m,batch=8.")
    if key not in Work.model_fields:
        raise unknown("key of a case called", key, Work.model_fields)
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError:
        raise UsageError(f'"{text}": "{value}" is not a value.') from None
