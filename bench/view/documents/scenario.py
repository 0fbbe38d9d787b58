"""Document of `footprint scenario --json`: the numbers of `bench/view/scenario.py`, and every input."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bench.footprint.caveats import SCENARIOS_LEAVE_OUT
from bench.footprint.scenarios.decisions import Decided
from bench.footprint.scenarios.inputs import Input
from bench.footprint.scenarios.simulation import SimulationReport


def document(found: SimulationReport, first: Decided | None) -> dict[str, Any]:
    """Everything, for a machine."""
    scenario = found.scenario
    return {
        "scenario": scenario.name,
        "decides": None if first is None else asdict(first) | {"turns": first.turns},
        "about": scenario.about,
        "unit": scenario.unit,
        "method": scenario.method,
        "scope": scenario.scope,
        "not_counted": scenario.absent,
        "inputs": {key: _input(each) for key, each in scenario.inputs.items()},
        "draws": found.draws,
        "seed": found.seed,
        "grams": {name: asdict(interval) for name, interval in found.grams.items()},
        "person_over": {
            side: asdict(interval) | {"person_ahead": found.person_ahead[side]}
            for side, interval in found.ratios.items()
        },
        "tornado": {
            "person_over": scenario.sides[-1],
            "bars": [asdict(bar) | {"reach": bar.reach} for bar in found.bars],
        },
        "break_even": [
            {"input": key, "person_over": side, "person_ahead_from": None if turn is None else asdict(turn)}
            for (key, side), turn in found.turns.items()
        ],
        "left_out": [*scenario.leaves_out, *SCENARIOS_LEAVE_OUT],
    }


def _input(each: Input) -> dict[str, Any]:
    low, high = each.spread.interval
    return {
        "value": each.spread.value,
        "low": low,
        "high": high,
        "distribution": each.spread.kind,
        "unit": each.unit,
        "stated": each.given,
        "source": each.source,
        "evidence": each.evidence,
        "note": each.note,
    }
