"""Parts of documents of figures: ranges, quantities, rows with their sources, chains with all steps."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bench.core.quantities import Quantity
from bench.footprint.bundled_rows import FigureSource, ReferenceRow
from bench.footprint.chain import Chain
from bench.footprint.reference import sources
from bench.view.documents.spans import span_json


def quantity_json(found: Quantity) -> dict[str, Any]:
    """A quantity for a machine."""
    return {**span_json(found.range), "unit": found.unit}


def row_json(
    row: ReferenceRow, imported: Mapping[str, FigureSource] = MappingProxyType({})
) -> dict[str, Any]:
    """A row for a machine, its source written out."""
    source = sources().get(row.source) or imported.get(row.source)
    written = source.model_dump() if source else {"citation": row.source}
    return row.model_dump(exclude_none=True) | {"source": {"key": row.source} | written}


def chain_json(chain: Chain[Any]) -> dict[str, Any]:
    """A chain for a machine: result, scope and every step with its factors."""
    steps = [
        {
            "name": step.name,
            "formula": step.formula,
            "scope": step.scope,
            "result": quantity_json(step.result),
            "factors": [row_json(factor) for factor in step.factors],
        }
        for step in chain.steps
    ]
    return {"result": quantity_json(chain.result), "scope": chain.scope, "steps": steps}
