"""Documents as JSON: answers of verbs, a whole report, and data of the page's script.

click.echo(json_document.text({"schema": "joulebench/report/1", "records": [...]}))
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from typing import Any

from bench.view.content import (
    CaseDetails,
    Chart,
    Fold,
    Report,
    SectionPart,
    Statement,
    Table,
    raw,
    shown,
)
from bench.view.panel import Panel

SCHEMA = "joulebench/report/1"


def text(document: Any, default: Callable[[Any], Any] | None = None) -> str:
    """Render a document, with `null` for numbers that are not finite."""
    return json.dumps(finite(document), indent=2, allow_nan=False, default=default)


def finite(value: Any) -> Any:
    """Replace infinite numbers and NaN by `None`, in lists and mappings at any depth."""
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report(made: Report) -> str:
    """Render a whole report; a chart is its description and the id of its table."""
    sections = [
        {"id": each.id, "title": each.title, "parts": list(map(_part, each.parts)), "notes": each.notes}
        for each in made.sections
    ]
    about = {"schema": SCHEMA, "title": made.title, "banner": made.banner, "settings": made.settings}
    about |= {"dateline": made.dateline, "takeaway": made.takeaway}
    whole = about | {"sections": sections, "cases": {each.id: case(each) for each in made.cases}}
    return f"{text(whole)}\n"


def _part(part: SectionPart) -> Any:
    match part:
        case str():
            return part
        case Table():
            return table(part)
        case Chart():
            return {"id": part.id, "about": part.about, "table": part.table}
        case Fold():
            return {"summary": part.summary, "parts": list(map(_part, part.parts))}
        case Panel() | Statement():
            return asdict(part)


def case(made: CaseDetails) -> dict[str, Any]:
    """Data of one record's details."""
    fields = {field.name: getattr(made, field.name) for field in dataclass_fields(made) if field.name != "id"}
    others = {"course": asdict(made.course), "outputs": [asdict(output) for output in made.outputs]}
    return fields | others | {"tables": list(map(table, made.tables))}


def table(made: Table) -> dict[str, Any]:
    """Data of a table: each cell as its text and its number."""
    heads = made.columns
    rows = [
        [[shown(cell, head.digits), raw(cell)] for cell, head in zip(row.cells, heads, strict=True)]
        for row in made.rows
    ]
    columns = [{"name": head.name, "numeric": head.numeric} for head in heads]
    return {"id": made.id, "caption": made.caption, "columns": columns, "rows": rows}
