"""Ways of doing the same work: what changes the joules of a case and not what comes out of it.

ways({"compile": True, "compile_mode": "reduce-overhead", "static_cache": False})
# ["compile", "compile_mode reduce-overhead"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

VARIANT_KEYS = frozenset({"compile_mode", "sdpa_kernel", "channels_last", "compile_blocks", "fuse_qkv"})
"""Ways of doing the same work. One that is not set, or `false`, is no part of a case: identities made before
there was the key stay what they were."""

WAYS = (
    "attention",
    "sdpa_kernel",
    "static_cache",
    "compile",
    "compile_mode",
    "compile_blocks",
    "channels_last",
    "fuse_qkv",
)
"""All keys of that kind, in the order in which a variant is named."""


def ways(values: Mapping[str, Any]) -> list[str]:
    """The variant in words, from its keys and their values; nothing for the plain way."""
    named = [(key, values.get(key)) for key in WAYS]
    return [key if value is True else f"{key} {value}" for key, value in named if value]
