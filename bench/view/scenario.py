"""A scenario as sections.

    terminal.text(sections(found, first))

The choice that decides the outcome comes first: a median ratio alone would hide that it turns with one input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bench.footprint.caveats import BRIEFLY, SCENARIOS_LEAVE_OUT
from bench.footprint.scenarios.decisions import Decided
from bench.footprint.scenarios.inputs import Input
from bench.footprint.scenarios.model import PARAMETERS
from bench.footprint.scenarios.scenario import ComparedSide
from bench.footprint.scenarios.simulation import SimulatedRange, SimulationReport
from bench.view import numbers
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.numbers import digits, ranged, rounded
from bench.view.sourced import left_out, references

SIDES: dict[ComparedSide, str] = {"model": "model alone", "together": "person with the model"}
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
BAR_WIDTH = 20
MOVING = 3
"""Inputs that the conclusion names."""
ABOUT = ("what it is", "as stated", "source")
INPUTS = columns("input", "#value", "95 %", "unit", "spread", *ABOUT, aside=ABOUT)

PARTS = {
    "training_g": "training",
    "embodied_g": "embodied",
    "computer_g": "computer",
    "upbringing_g": "upbringing",
}
"""Figures by the optional part that they come from."""


def conclusion(found: SimulationReport, first: Decided | None) -> Iterator[str]:
    """The outcome, what turns it and what moves it, in a few lines."""
    yield from _outcome(found, first)
    counted = ", ".join(found.scenario.absent) or "nothing that could be"
    yield f"Person counted by: {found.scenario.method}. Not counted: {counted}. {BRIEFLY}"
    yield "Medians and 95 % of draws. Inputs, all results and sources: --all"


def _outcome(found: SimulationReport, first: Decided | None) -> Iterator[str]:
    scenario, unit = found.scenario, found.scenario.unit
    if first is not None:
        yield _decides(first)
    for side, interval in found.ratios.items():
        times = ranged(interval.median, interval.low, interval.high)
        yield (
            f"{scenario.name}: one {unit} by a person alone emits {times} times the {SIDES[side]}; "
            f"it is less in {found.person_ahead[side]:.0%} of draws."
        )
    turns = [
        f"{key} {ranged(turn.median, turn.low, turn.high)} {PARAMETERS[key].unit.replace('UNIT', unit)}"
        for (key, side), turn in found.turns.items()
        if side == scenario.sides[-1] and turn is not None and turn.low > 0
    ]
    if turns:
        yield f"From here on the person alone is ahead: {'; '.join(turns)}."
    if found.bars:
        yield f"What moves it most: {', '.join(bar.key for bar in found.bars[:MOVING])}."


def sections(found: SimulationReport, first: Decided | None) -> Iterator[Section | str]:
    """Everything for a person, the outcome first."""
    scenario = found.scenario
    yield from _outcome(found, first)
    yield Section(f"{scenario.name}: one {scenario.unit}", (scenario.about,))
    counted = (
        f"Method of the person: {scenario.method}. Scope of the model's energy: {scenario.scope}. "
        f"Not counted: {', '.join(scenario.absent) or 'nothing that could be'}."
    )
    yield Section("Inputs", (table(INPUTS, map(_input_row, scenario.inputs.values())), counted))
    title = f"g CO2e per {scenario.unit}: at the values, and over {found.draws:,} draws (seed {found.seed})"
    yield Section(title, (_grams(found),))
    yield Section("Person alone, as a multiple of the other", (_ratios(found),))
    title = f"What moves it: person alone / {SIDES[scenario.sides[-1]]}, one input at a time over its 95 %"
    yield Section(title, (_tornado(found),))
    yield Section("From where on the person alone is ahead, all other inputs as they are", (_turns(found),))
    yield references(key for each in scenario.inputs.values() for key in each.source.split(", "))
    yield left_out((*scenario.leaves_out, *SCENARIOS_LEAVE_OUT))


def _decides(first: Decided) -> str:
    """First line: the outcome under each choice."""
    shares = [f"{share:.0%} of draws {name}" for name, share in first.person_ahead.items()]
    verb = "decides" if first.turns else "does not decide here"
    other = SIDES[first.side]
    return f"{first.what} {verb}: the person alone emits less than the {other} in {', '.join(shares)}."


def _input_row(each: Input) -> tuple[Cell, ...]:
    spread = each.spread
    point, (low, high) = spread.kind == "point", spread.interval
    value = digits(spread.value, 4) if point else numbers.by_width(spread.value, low, high)
    interval = None if point else numbers.ends(spread.value, low, high)
    source = f"{each.source} ({each.evidence})"
    return (
        each.key,
        Written(value, spread.value),
        interval,
        each.unit,
        spread.kind,
        PARAMETERS[each.key].about,
        each.given,
        source,
    )


def _grams(found: SimulationReport) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, about in WAYS.items():
        if name == "together_g" and "together" not in found.ratios:
            continue
        absent = PARTS.get(name) in found.scenario.absent
        rows.append((about, "not counted", "", "") if absent else (about, *_numbers(found.grams[name])))
    return table(columns("", "#at the values", "#median", "95 %"), rows)


def _ratios(found: SimulationReport) -> Table:
    heads = columns("over", "#at the values", "#median", "95 %", "person alone emits less")
    rows = (
        (SIDES[side], *_numbers(interval), f"in {found.person_ahead[side]:.1%} of draws")
        for side, interval in found.ratios.items()
    )
    return table(heads, rows)


def _tornado(found: SimulationReport) -> Table | str:
    if not found.bars:
        return "Nothing: every input is a point, or one side emits nothing."
    longest = math.log(found.bars[0].reach) or 1.0
    rows = []
    for bar in found.bars:
        length = round(BAR_WIDTH * math.log(bar.reach) / longest)
        unit = found.scenario.inputs[bar.key].unit
        rows.append((bar.key, bar.low, bar.high, unit, bar.at_low, bar.at_high, "█" * length))
    return table(columns("input", "#from", "#to", "unit", "#ratio at from", "#ratio at to", ""), rows)


def _turns(found: SimulationReport) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for (key, side), turn in found.turns.items():
        unit = PARAMETERS[key].unit.replace("UNIT", found.scenario.unit)
        if turn is None:
            rows.append((key, SIDES[side], None, "makes no difference here", unit))
        else:
            found_at = rounded(turn.value, turn.low, turn.high)
            starts = zip(found_at[:3], (turn.value, turn.low, turn.high), strict=True)
            value, low, high = (_start(*each) for each in starts)
            rows.append((key, SIDES[side], value, low if low == high else f"{low} to {high}", unit))
    return table(columns("input", "over", "#from", "95 %", "unit"), rows)


def _start(text: str, turn: float) -> str:
    """Turning points of the person; below 0 prompts or minutes they are ahead from the start."""
    return text if turn > 0 else "ahead already"


def _numbers(found: SimulatedRange) -> tuple[Cell, ...]:
    """The value as stated inputs give it, which has no interval of its own; median and 95 % of the draws."""
    median, between = found.median, numbers.ends(found.median, found.low, found.high)
    return numbers.grouped(found.value), numbers.by_width(median, found.low, found.high), between
