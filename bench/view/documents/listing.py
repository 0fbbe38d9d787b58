"""Document of `list --json`: suites and models, and what fits this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.view.listing import machine, weights

if TYPE_CHECKING:
    from bench.catalog.models import Suite
    from bench.measurement.listing import ListedModel, ModelListing


def document(found: ModelListing, suites: Mapping[str, Suite]) -> dict[str, Any]:
    """An object a model; `why_not` is `null` where it fits."""
    return {
        "machine": machine(found),
        "suites": {name: suite.doc for name, suite in suites.items()},
        "models": list(map(_model, found.models)),
    }


def _model(listed: ListedModel) -> dict[str, Any]:
    model = listed.model
    return {
        "model": listed.name,
        "unit": model.unit,
        "family": model.family,
        "parameters_b": model.parameters_b,
        "memory_gb": model.memory_gb,
        "licence": model.licence,
        "gated": model.gated,
        "weights": weights(listed),
        "fits": listed.why_not is None,
        "why_not": listed.why_not,
    }
