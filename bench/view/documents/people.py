"""Document of `footprint people --json`: human baselines with their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.footprint.caveats import LEFT_OUT
from bench.footprint.humans import Human, per_model_unit
from bench.view.documents.sourced import quantity_json, row_json


def document(found: Sequence[Human], absent: Mapping[str, str]) -> dict[str, Any]:
    """Baselines, and modalities without any, each with the reason."""
    return {"baselines": list(map(_human, found)), "no_baseline": absent, "left_out": LEFT_OUT}


def _human(each: Human) -> dict[str, object]:
    converted = per_model_unit(each)
    return row_json(each.baseline) | {
        "result": quantity_json(each.result),
        "per_model_unit": converted
        and {
            "unit": converted.work.model_unit,
            "modality": converted.work.modality,
            "work": converted.work.work,
            "result": quantity_json(converted.result),
        },
        "evidence": each.evidence,
        "formula": each.method.formula,
        "inputs": {
            name: row_json(factor) for name, factor in zip(each.baseline.inputs, each.factors, strict=True)
        },
    }
