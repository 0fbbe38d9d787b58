"""A record with a hostile text in every field and key that takes one, as a stranger's file might have.

path = hostile_record(folder / "a.json", run(300.0, chance), keep=("status",))
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.core.record import Record
from bench.errors import RecordError
from bench.store import results

TEXT = "=1+1|<script>alert(1)</script>]]>\"'\x1b[2J\x9b31m\x7f\r\x08`*\u202e"
"""A formula, a table's border, markup, the end of an XML section, escape sequences, a mark of direction."""


def hostile_record(path: Path, kept: Record, keep: tuple[str, ...] = ()) -> Path:
    """Write the record with `TEXT` in place of each text that stays readable so; `keep` names fields."""
    document = json.loads(results.to_json(kept))
    for at in list(_texts(document)):
        if at[0] in keep:
            continue
        tried = copy.deepcopy(document)
        holder = _holder(tried, at)
        if isinstance(holder, dict) and at[-1] == "":
            continue
        holder[at[-1]] = TEXT
        if _reads(tried):
            document = tried
    for name in ("used", "libraries"):
        document["engine"][name] = {TEXT: TEXT} | (document["engine"].get(name) or {})
    assert _reads(document)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _reads(document: Any) -> bool:
    try:
        results.from_json(json.dumps(document), "tried")
    except RecordError:
        return False
    return True


def _texts(part: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(part, str):
        yield at
    elif isinstance(part, dict | list):
        for key, item in part.items() if isinstance(part, dict) else enumerate(part):
            yield from _texts(item, (*at, key))


def _holder(document: Any, at: tuple[Any, ...]) -> Any:
    for key in at[:-1]:
        document = document[key]
    return document
