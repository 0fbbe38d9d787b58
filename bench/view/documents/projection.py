"""Document of `footprint projection --json`: a deployment a case, and the assumptions of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.footprint.caveats import PROJECTIONS_LEAVE_OUT
from bench.footprint.projection import Projection, factors_of
from bench.view.documents.sourced import chain_json, row_json


def document(found: Sequence[Projection]) -> dict[str, Any]:
    """Every chain of each deployment, by name."""
    return {
        "deployments": [
            {
                "case": rate.name,
                "kind": rate.kind,
                "weights": rate.weights,
                "per": rate.made,
                "range": rate.range_is,
                "source": rate.source,
                **{name: chain_json(chain) for name, chain in chains.items()},
            }
            for rate, chains in found
        ],
        "assumptions": [row_json(factor) for factor in factors_of(found)],
        "left_out": PROJECTIONS_LEAVE_OUT,
    }
