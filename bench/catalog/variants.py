"""Ways of doing the same work: what changes the joules of a case and not what comes out of it.

ways({"compile": True, "compile_mode": "reduce-overhead", "static_cache": False})
# ["compile", "compile_mode reduce-overhead"]
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from bench.core import modalities

WAYS = tuple(
    dict.fromkeys(chain.from_iterable(modality.options.variants for modality in modalities.all_modalities()))
)
"""All keys of that kind, in the order in which a variant is named."""


def ways(values: Mapping[str, Any]) -> list[str]:
    """The variant in words, from its keys and their values; nothing for the plain way."""
    named = [(key, values.get(key)) for key in WAYS]
    return [key if value is True else f"{key} {value}" for key, value in named if value]
