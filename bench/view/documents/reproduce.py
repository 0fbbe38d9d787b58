"""Document of `footprint reproduce --json`: people, models and ratios of a paper, and measured lines."""

from __future__ import annotations

from typing import Any

from bench.footprint import tomlinson2024
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.humans import Human
from bench.footprint.person_vs_model import NO_RATIO, Line, MeasuredComparison
from bench.view.documents.sourced import chain_json, quantity_json, row_json
from bench.view.documents.spans import span_json


def document(paper: str, measured: MeasuredComparison) -> dict[str, Any]:
    """The paper's own figures, and lines of records."""
    people = tomlinson2024.people()
    return {
        "paper": paper,
        "people": {
            name: {
                "result": quantity_json(each.result),
                "inputs": [row_json(factor) for factor in each.factors],
            }
            for name, each in people.items()
        },
        "models": {name: chain_json(chain) for name, chain in tomlinson2024.models().items()},
        "ratios": [
            check.vector.model_dump(exclude_none=True)
            | {
                "ratio": check.ratio,
                "rounded": check.rounded,
                "agrees": check.agrees,
                "verdict": check.verdict,
            }
            for check in tomlinson2024.ratios()
        ],
        "measured": _measured(measured, people),
        "left_out": LEFT_OUT,
    }


def _measured(found: MeasuredComparison, people: dict[str, Human]) -> dict[str, Any]:
    return {
        "grid": row_json(found.grid),
        "pue": None if found.pue is None else row_json(found.pue),
        "left_out_records": found.read.left_out,
        "lines": [_line_json(line, people) for line in found.lines()],
    }


def _line_json(line: Line, people: dict[str, Human]) -> dict[str, Any]:
    ratios = line.ratios(people)
    return {
        "name": line.name,
        "unit": line.unit,
        "scope": line.scope,
        "kind": line.kind,
        "weights": line.weights,
        "joules": None if line.joules is None else quantity_json(line.joules),
        "carbon": chain_json(line.grams),
        "interval": line.interval,
        "conditions": line.conditions,
        "source": line.source,
        "person_per_model": {region: span_json(ratio) for region, ratio in ratios.items()} or None,
        "no_ratio": None if ratios else NO_RATIO,
    }
