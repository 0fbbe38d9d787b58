"""Document of `query --json`: an object a row."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bench.compare.index.query import QueryAnswer
from bench.errors import UsageError


def document(answer: QueryAnswer) -> list[dict[str, Any]]:
    """All rows. Raises UsageError where two columns share a name: one would hide the other."""
    if twice := [name for name, count in Counter(answer.columns).items() if count > 1]:
        raise UsageError(f"More than one column is called {twice[0]}.", "Tell them apart with AS.")
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
