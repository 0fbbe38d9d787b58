"""Damaged copies of good files: values of another type or size, keys lost and doubled, bytes flipped and cut.

mutant(random.Random(1), b'{"a": 1}', "json")      # b'{"a": [[[...]]]}', or anything near it
"""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import yaml

VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    float("nan"),
    float("inf"),
    2**63,
    10**400,
    "",
    "x" * 3000,
    "../../../etc/passwd",
    "CON",
    "a\x00b",
    "\ud800\u202e\x1b[2J",
    "=HYPERLINK(1)",
    "<script>alert(1)</script>",
    "${jndi:x}",
    [],
    {},
    [[[[[]]]]],
    {"a": {"b": {"c": []}}},
    ["x"] * 500,
)
NUMBERS: tuple[Any, ...] = (-1, 0, 1, 1e-300, -1e-9, 1e300, 1.7e308, 2**62, 10**400, 1e15)
TEXTS = (
    "",
    "\x1b[2J",
    "=1+1",
    "<script>alert(1)</script>",
    "../../up",
    "CON",
    "|",
    "gpu:",
    "\u202e",
    "9" * 40,
)
"""Of the same type as what they replace, so that most such documents are still read."""
STRETCHES = (1, 1, 2, 8, 40, 400)
FILLS = (
    b"\x00",
    b"\xff",
    b"{",
    b"[",
    b'"',
    b": ",
    b"\n",
    b"&a [*a,*a]",
    b"!!python/object/apply:os.getcwd []",
    b"9" * 40,
)


def mutant(chance: random.Random, good: bytes, form: str) -> bytes:
    """One damaged copy; of a document mostly still one, of other bytes anything."""
    if form == "values" and chance.random() < 0.9:
        return _of_values(chance, good)
    if form in ("json", "yaml") and chance.random() < 0.7:
        return _of_document(chance, good, form)
    content = bytearray(good)
    for _ in range(chance.choice((1, 1, 1, 3))):
        start = chance.randrange(len(content) + 1)
        end = start + chance.choice(STRETCHES)
        kept = bytes(content[start:end])
        content[start:end] = chance.choice((b"", kept * 2, chance.choice(FILLS), chance.randbytes(len(kept))))
    return bytes(content)


def _of_document(chance: random.Random, good: bytes, form: str) -> bytes:
    if chance.random() < 0.02:
        return chance.choice((b"[", b'{"a":', b"- ")) * 100_000
    document = json.loads(good) if form == "json" else yaml.safe_load(good)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        document = _changed(chance, document)
    if form == "yaml" and chance.random() < 0.5:
        return yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass")
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _changed(chance: random.Random, document: Any) -> Any:
    """The document with one of its values replaced, lost, doubled or put in another's place."""
    places = list(_places(document))
    if not places:
        return _value(chance)
    holder, key = chance.choice(places)
    act = chance.random()
    if act < 0.15:
        del holder[key]
    elif act < 0.25:
        other, there = chance.choice(places)
        holder[key] = copy.deepcopy(other[there])
    elif act < 0.35 and isinstance(holder, dict):
        holder[str(_value(chance))] = holder[key]
    elif act < 0.45 and isinstance(holder[key], float):
        holder[key] = holder[key] * chance.choice((-1, 0, 1e-300, 1e300))
    else:
        holder[key] = _value(chance)
    return document


def _value(chance: random.Random) -> Any:
    """One of `VALUES`, of its own: the next change may be inside it."""
    return copy.deepcopy(chance.choice(VALUES))


def _places(document: Any, depth: int = 0) -> Any:
    """Every holder with its keys; nothing below 40 levels, where mutations put themselves into each other."""
    if depth > 40:
        return
    if isinstance(document, dict):
        pairs: Any = document.items()
    elif isinstance(document, list):
        pairs = enumerate(document)
    else:
        return
    for key, value in list(pairs):
        yield document, key
        yield from _places(value, depth + 1)


def _of_values(chance: random.Random, good: bytes) -> bytes:
    """A copy of a JSON document with other values of the same types, so that most of them are still read."""
    document = json.loads(good)
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = list(_places(document))
        intervals = [
            value for holder, key in places if isinstance(value := holder[key], dict) and "low" in value
        ]
        if intervals and chance.random() < 0.3:
            _change_interval(chance, chance.choice(intervals))
            continue
        holder, key = chance.choice(places)
        holder[key] = _same_type(chance, holder[key])
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _change_interval(chance: random.Random, interval: dict[str, Any]) -> None:
    """Reverse the ends, make them negative, or replace or take one away."""
    act = chance.randrange(4)
    if act == 0:
        interval["low"], interval["high"] = interval.get("high"), interval["low"]
    elif act == 1:
        for key, value in interval.items():
            interval[key] = -value if isinstance(value, float) else value
    else:
        interval[chance.choice(("value", "low", "high"))] = None if act == 2 else chance.choice(NUMBERS)


def _same_type(chance: random.Random, value: Any) -> Any:
    act = chance.random()
    if act < 0.2:
        return None if act < 0.1 else _value(chance)
    match value:
        case bool():
            return not value
        case int() | float():
            less = value // 1000 if isinstance(value, int) else value / 1000  # 400 digits overflow a float
            other = chance.choice((-value, value * 1000, less, chance.choice(NUMBERS)))
            return round(other) if isinstance(value, int) and abs(other) < 1e18 else other
        case str():
            return chance.choice(TEXTS)
        case list():
            return chance.choice(([], value * 2, value[::-1], value[:1]))
        case dict():
            kept = list(value.items())
            return dict(kept[: chance.randrange(len(kept) + 1)])
        case None:
            return chance.choice((*NUMBERS, *TEXTS, [], {}))
    return value
