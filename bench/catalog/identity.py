"""A case's identity: one hash over everything that changes the work.

It is computed the same from a `Case` before a run and from the `case` mapping of a record years later.
Two records with different hashes are not comparable; `differing` names the keys that differ.

History of `VERSION`
    1   first version
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

VERSION = 1

LABELS = frozenset({"model", "toy", "hash"})
"""Keys of a case that do not change the work: the catalogue's words for a model, and the hash itself."""


def case_hash(case: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits over the canonical JSON of the case without its labels."""
    work = {key: value for key, value in case.items() if key not in LABELS}
    canonical = json.dumps(work, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def differing(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of the keys whose values differ, labels left out; a missing key differs from `null`."""
    keys: list[str] = []
    for key in sorted((set(one) | set(other)) - (LABELS if not prefix else frozenset())):
        left, right = one.get(key), other.get(key)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            keys += differing(left, right, f"{prefix}{key}.")
        elif left != right or (key in one) != (key in other):
            keys.append(f"{prefix}{key}")
    return keys
