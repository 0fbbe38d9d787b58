"""A scenario for a person and for a machine."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from bench.cli.sourced import add, heading, left_out, references, table
from bench.cli.tables import cell, width
from bench.footprint.deciding import Decided
from bench.footprint.inputs import Input
from bench.footprint.scenario import Side
from bench.footprint.scenario_model import PARAMETERS
from bench.footprint.simulation import Interval, Report
from bench.footprint.wording import SCENARIOS_LEAVE_OUT
from bench.report.numbers import NOT_KNOWN, digits

SIDES: dict[Side, str] = {"model": "model alone", "together": "person with the model"}
WAYS = {
    "person_g": "person alone",
    "model_g": "model alone",
    "together_g": "person with the model",
    "draft_g": "one draft",
    "operation_g": "  its electricity",
    "training_g": "  its share of training",
    "embodied_g": "  its share of making the devices",
    "hour_g": "an hour of the person",
    "computer_g": "  its share of making the computer",
    "upbringing_g": "  its share of the years before",
}
BAR_WIDTH = 30
WIDE = 150


PARTS = {
    "training_g": "training",
    "embodied_g": "embodied",
    "computer_g": "computer",
    "upbringing_g": "upbringing",
}
"""Figures by the optional part that they come from."""


def parts(found: Report, first: Decided | None) -> Iterable[object]:
    """Everything for a person, the deciding input first."""
    scenario = found.scenario
    if first is not None:
        yield cell(_decides(first))
    yield heading(f"{scenario.name}: one {scenario.unit}")
    yield cell(scenario.about)
    yield heading("Inputs")
    yield _inputs(found)
    yield cell(
        f"Method of the person: {scenario.method}. Scope of the model's energy: {scenario.scope}. "
        f"Not counted: {', '.join(scenario.absent) or 'nothing that could be'}."
    )
    yield heading(
        f"g CO2e per {scenario.unit}: at the values, and over {found.draws:,} draws (seed {found.seed})"
    )
    yield _grams(found)
    yield heading("Person alone, as so many times the other")
    yield _ratios(found)
    yield heading(
        f"What moves it: person alone / {SIDES[scenario.sides[-1]]}, one input at a time over its 95 %"
    )
    yield _tornado(found)
    yield heading("From where on the person alone is ahead, all other inputs as they are")
    yield _turns(found)
    yield heading("Sources")
    yield references(key for each in scenario.inputs.values() for key in each.source.split(", "))
    yield from left_out((*scenario.leaves_out, *SCENARIOS_LEAVE_OUT))


def _decides(first: Decided) -> str:
    """First line: the outcome under each choice."""
    shares = [f"{share:.0%} of draws {name}" for name, share in first.person_ahead.items()]
    verb = "decides" if first.turns else "does not decide here"
    other = SIDES[first.side]
    return f"{first.what} {verb}: the person alone emits less than the {other} in {', '.join(shares)}."


def _inputs(found: Report) -> Any:
    """One row an input; a narrow terminal does without what each is, which docs/scenarios.md says."""
    wide = width() >= WIDE
    meaning = ("what it is",) if wide else ()
    columns = ("input", "value", "95 %", "unit", "spread", *meaning, "as stated", "source")
    made = table(*columns, right=("value",))
    for each in found.scenario.inputs.values():
        spread = each.spread
        range_ = NOT_KNOWN if spread.kind == "point" else _between(*spread.interval)
        numbers = (digits(spread.value, 4), range_, each.unit, spread.kind)
        about = (PARAMETERS[each.key].about,) if wide else ()
        add(made, each.key, *numbers, *about, each.given, f"{each.source} ({each.evidence})")
    return made


def _grams(found: Report) -> Any:
    made = table("", "at the values", "median", "95 %", right=("at the values", "median"))
    for name, about in WAYS.items():
        if name == "together_g" and "together" not in found.ratios:
            continue
        if PARTS.get(name) in found.scenario.absent:
            add(made, about, "not counted", "", "")
        else:
            add(made, about, *_numbers(found.grams[name]))
    return made


def _ratios(found: Report) -> Any:
    made = table(
        "over",
        "at the values",
        "median",
        "95 %",
        "person alone emits less",
        right=("at the values", "median"),
    )
    for side, interval in found.ratios.items():
        add(made, SIDES[side], *_numbers(interval), f"in {found.person_ahead[side]:.1%} of draws")
    return made


def _tornado(found: Report) -> Any:
    if not found.bars:
        return cell("Nothing: every input is a point, or one side emits nothing.")
    made = table(
        "input",
        "from",
        "to",
        "unit",
        "ratio at from",
        "ratio at to",
        "",
        right=("from", "to", "ratio at from", "ratio at to"),
    )
    longest = math.log(found.bars[0].reach) or 1.0
    for bar in found.bars:
        length = round(BAR_WIDTH * math.log(bar.reach) / longest)
        unit = found.scenario.inputs[bar.key].unit
        ends = (digits(end) for end in (bar.low, bar.high, bar.at_low, bar.at_high))
        low, high, at_low, at_high = ends
        add(made, bar.key, low, high, unit, at_low, at_high, "█" * length)
    return made


def _turns(found: Report) -> Any:
    made = table("input", "over", "from", "95 %", "unit", right=("from",))
    for (key, side), turn in found.turns.items():
        unit = PARAMETERS[key].unit.replace("UNIT", found.scenario.unit)
        if turn is None:
            add(made, key, SIDES[side], NOT_KNOWN, "makes no difference here", unit)
        else:
            value, low, high = (_start(number) for number in (turn.value, turn.low, turn.high))
            add(made, key, SIDES[side], value, low if low == high else f"{low} to {high}", unit)
    return made


def _start(turn: float) -> str:
    """Where the person gets ahead; no prompt or minute is below 0, so there they are from the start."""
    return digits(turn) if turn > 0 else "ahead already"


def _numbers(found: Interval) -> tuple[str, str, str]:
    return digits(found.value), digits(found.median), _between(found.low, found.high)


def _between(low: float, high: float) -> str:
    return f"{digits(low)} to {digits(high)}"


def as_json(found: Report, first: Decided | None) -> dict[str, Any]:
    """Everything, for a machine; what is infinite is `null`."""
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
        "grams": {name: _finite(interval) for name, interval in found.grams.items()},
        "person_over": {
            side: _finite(interval) | {"person_ahead": found.person_ahead[side]}
            for side, interval in found.ratios.items()
        },
        "tornado": {
            "person_over": scenario.sides[-1],
            "bars": [asdict(bar) | {"reach": bar.reach} for bar in found.bars],
        },
        "break_even": [
            {"input": key, "person_over": side, "person_ahead_from": None if turn is None else _finite(turn)}
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


def _finite(found: Interval) -> dict[str, Any]:
    return {name: number if math.isfinite(number) else None for name, number in asdict(found).items()}
