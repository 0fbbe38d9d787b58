"""JSON of what a verb answers, and of what a page draws by itself.

click.echo(json_document.text({"schema": "joulebench/limits/1", "records": [...]}))
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from bench.view.content import Table, raw, shown


def text(document: Any, default: Callable[[Any], Any] | None = None) -> str:
    """A document for a program, with `null` for a number that is not finite."""
    return json.dumps(finite(document), indent=2, allow_nan=False, default=default)


def finite(value: Any) -> Any:
    """A value with `None` for every number that JSON cannot hold, lists and mappings all the way down."""
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(made: Table) -> dict[str, Any]:
    """A table for a page: each cell as it is shown, and as it is sorted and downloaded."""
    heads = made.columns
    rows = [
        [[shown(cell, head.digits), raw(cell)] for cell, head in zip(row.cells, heads, strict=True)]
        for row in made.rows
    ]
    columns = [{"name": head.name, "numeric": head.numeric} for head in heads]
    return {"id": made.id, "caption": made.caption, "columns": columns, "rows": rows}
