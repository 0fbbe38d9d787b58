"""Schemas of a record so far, and the conversion of an old one to the present one.

The history of `SCHEMA` is beside it in `bench.core.record`. A change that old files do not fit raises it and
adds one entry here, keyed by the schema it leaves: the next schema, and a function that makes the one mapping
of the other.
Samples of every form that was ever written are in `tests/store/history`, and each must load.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bench.core.record import SCHEMA

RawRecord = dict[str, Any]

MIGRATIONS: dict[str, tuple[str, Callable[[RawRecord], RawRecord]]] = {}
"""Old schema → the schema after it, and the step between. There has been one schema so far."""


def upgraded(raw: Any) -> RawRecord:
    """A record's mapping in the present schema. Raises ValueError where it cannot be brought there."""
    found = raw.get("schema") if isinstance(raw, dict) else None
    while isinstance(found, str) and found in MIGRATIONS:
        found, step = MIGRATIONS[found]
        raw = step(raw) | {"schema": found}
    if found != SCHEMA:
        said = f"(schema {found!r}, expected {SCHEMA!r})"
        if _number(found) > _number(SCHEMA):
            raise ValueError(f"written by a newer joulebench {said}; a newer one reads it")
        raise ValueError(f"not a record of this version {said}")
    assert isinstance(raw, dict)
    return raw


def _number(schema: object) -> int:
    """The number at the end of one of our schemas' names; -1 for anything else."""
    known = re.fullmatch(r"joulebench/record/(\d{1,9})", schema) if isinstance(schema, str) else None
    return int(known[1]) if known else -1
