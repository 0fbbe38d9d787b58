"""Document of `list --systems --json`: systems that the papers name, and what answers for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.footprint.listing import RepresentedSystem


def document(rows: Sequence[RepresentedSystem]) -> dict[str, Any]:
    """One object a system."""
    return {
        "systems": [
            {
                "id": row.system.id,
                "system": row.system.name,
                "kind": row.system.kind,
                "represented": row.by,
                "units": row.units,
                "models": row.models,
                "published_figures": row.system.figures,
                "how": row.system.how,
            }
            for row in rows
        ]
    }
