"""Hint for a name that does not exist: the nearest one that does, or all of them.

nearest("blom", ["bloom", "llama"])            # 'Did you mean "bloom"?'
raise unknown("model", "blom", catalogue.models)      # UsageError with that hint
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from bench.errors import UsageError

NEAR = 0.5
"""Least similarity of a suggestion, from 0 to 1."""


def nearest(name: str, names: Iterable[str]) -> str:
    """`Did you mean "x"?`, or the list of names where nothing is near."""
    known = {known.lower(): known for known in sorted(names)}
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=NEAR)
    return f'Did you mean "{known[close[0]]}"?' if close else f"Known: {', '.join(known.values())}."


def unknown(kind: str, name: str, names: Iterable[str]) -> UsageError:
    """The error for a name the user typed that does not exist."""
    return UsageError(f'Unknown {kind} "{name}".', nearest(name, names))
