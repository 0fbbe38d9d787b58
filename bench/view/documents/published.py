"""Document of `footprint published --json`: published figures with their sources, and measured ones."""

from __future__ import annotations

from typing import Any

from bench.footprint.caveats import LEFT_OUT
from bench.footprint.listing import PublishedFigures, without_a_figure
from bench.view.documents.sourced import quantity_json, row_json


def document(found: PublishedFigures) -> dict[str, Any]:
    """An object a figure; joules are of one of the unit asked for."""
    rows, measured, modality, unit, imported = found
    return {
        "unit": unit,
        "published": [
            row_json(row, imported.sources)
            | {"joules_each": None if (joules := found.joules(row)) is None else quantity_json(joules)}
            for row in rows
        ],
        "measured": [
            {
                "label": row.record.label,
                "unit": row.unit,
                "scope": row.scope,
                "kind": row.kind,
                "weights": row.weights,
                "joules": quantity_json(row.joules),
                "interval": row.interval,
                "conditions": row.conditions,
                "source": row.source,
            }
            for row in measured.rows
        ],
        "left_out_records": measured.left_out,
        "no_published_figure": [system.name for system in without_a_figure(modality)],
        "left_out": LEFT_OUT,
    }
