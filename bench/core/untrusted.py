"""JSON and YAML from elsewhere as plain values, with bounds: each fault is a ValueError.

json_of('{"a": 1}')       # {"a": 1}
yaml_of("a: [1, 2]")      # no aliases, which a few lines can make a terabyte of, and no tags
"""

from __future__ import annotations

import json
from typing import Any

import yaml

MAX_DEPTH = 64
"""Nesting of a YAML text; files of ours have 8."""


def json_of(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, also where it is nested too deeply to be read."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def yaml_of(text: str) -> Any:
    """The value of a YAML text. Raises ValueError in one line, also for aliases, tags and deep nesting."""
    try:
        _refuse_traps(text)
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _refuse_traps(text: str) -> None:
    depth = 0
    # The C parser, if it is there, is twenty times as fast.
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has an alias (*), which is not used here")  # noqa: TRY004 - of the text
        if getattr(event, "tag", None) is not None:
            raise ValueError("it has a tag (!), which is not used here")
