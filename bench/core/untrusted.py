"""Files, JSON and YAML from elsewhere as plain values, with bounds: each fault is a ValueError.

text_in(Path("a.json"))   # at most 64 MB
json_of('{"a": 1}')       # {"a": 1}
yaml_of("a: [1, 2]")      # no aliases, which a few lines can make a terabyte of, and no tags
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import yaml

LARGEST_BYTES = 64_000_000
"""Of one file: a record of a day of eight cards has half of it."""
MAX_DEPTH = 64
"""Nesting of a YAML text; files of ours have 8."""
MOST_VALUES = 2_000_000
"""Of a JSON text: an empty list is 2 bytes there and 64 in memory. A record's block has about 100 values."""
LONG_NUMBER = re.compile(r"[0-9]{20}")
MOST_EVENTS = 600_000
"""Of a YAML text, whose parser takes 0.6 kB for each: two for a key with its value."""


def bounded(file: BinaryIO, most: int = LARGEST_BYTES) -> bytes:
    """All of a file. Raises ValueError where it is larger than `most` bytes, also where it never ends."""
    content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most / 1e6:.0f} MB")
    return content


def bytes_in(path: Path, most: int = LARGEST_BYTES) -> bytes:
    """All of the file of this name. Raises OSError, and ValueError where it is larger than `most` bytes."""
    with path.open("rb") as file:
        return bounded(file, most)


def text_in(path: Path, encoding: str = "utf-8") -> str:
    """The text of a file. Raises OSError, and ValueError where it is too large or not a text."""
    return bytes_in(path).decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def inside(folder: Path, name: str) -> Path | None:
    """The real path of a file that a document in `folder` names; `None` where it leads out of the folder.

    Parts such as `..`, absolute names and links may lead out. The file itself need not exist. Raises
    ValueError for a name that no file can have.
    """
    path = Path(os.path.realpath(folder / name))
    return path if path.is_relative_to(os.path.realpath(folder)) else None


def refuse_many_values(text: str) -> None:
    """Refuse a JSON text that would take much more memory than its bytes. Raises ValueError."""
    if len(text) > MOST_VALUES and text.count(",") + text.count("[") + text.count("{") > MOST_VALUES:
        raise ValueError(f"it has more than {MOST_VALUES:,} values")


def refuse_large_integers(text: str, value: Any) -> None:
    """Refuse integers of more than 64 bits, which may be too large for a float. Raises ValueError.

    `value` is that of the text: it is searched only where the text has a number that long.
    """
    at = _large_integer(value) if LONG_NUMBER.search(text) else None
    if at is not None:
        raise ValueError(f"{at}: a whole number of more than 64 bits")


def _large_integer(value: Any, at: str = "") -> str | None:
    """Where a value has an integer beyond 64 bits: its keys, with dots between them."""
    if isinstance(value, int):
        return at.lstrip(".") if abs(value) >= 2**64 else None
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
    return next(
        (found for key, each in items if (found := _large_integer(each, f"{at}.{key}")) is not None), None
    )


def json_of(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, also where it is nested too deeply to be read."""
    whole = text if isinstance(text, str) else text.decode(json.detect_encoding(text))
    refuse_many_values(whole)
    try:
        value = json.loads(whole)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    refuse_large_integers(whole, value)
    return value


def yaml_of(text: str) -> Any:
    """The value of a YAML text. Raises ValueError in one line, also for aliases, tags and deep nesting."""
    try:
        _refuse_traps(text)
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _refuse_traps(text: str) -> None:
    depth = 0
    # Counted before anything is built of them. The C parser, if it is there, is twenty times as fast.
    events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for number, event in enumerate(events):
        if number > MOST_EVENTS:
            raise ValueError(f"it has more than {MOST_EVENTS:,} parts")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has an alias (*), which is not used here")  # noqa: TRY004 - of the text
        if getattr(event, "tag", None) is not None:
            raise ValueError("it has a tag (!), which is not used here")
