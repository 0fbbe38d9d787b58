"""Scenarios a reader can move: a person alone, a model alone, and both together.

Inside: the bundled scenarios, with their own energy and with each measured one that they can take. The page
works them out again with the formulas of `bench.footprint.scenarios.model`; a test compares the two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bench.errors import BenchError
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import bundled, find
from bench.footprint.scenarios.inputs import Input
from bench.footprint.scenarios.model import PARAMETERS, footprint
from bench.footprint.scenarios.scenario import Scenario, ratio
from bench.view.content import Cell, Fold, Section, TableRow, Written, clean, columns, table
from bench.view.numbers import by_width
from bench.view.panel import Choice, Panel, Slider
from bench.view.report.report_data import ReportData

FIRST = {name: number for number, name in enumerate(("collaboration", "critics"))}
"""Scenarios that come first: those of a page, by either count of the person."""
OFFERED = 12
"""Measured energies that a scenario is tried with: the newest, at each of their scopes."""

SPANS: dict[str, tuple[float, float]] = {
    "person.power": (0.0, 100.0),
    "computer.hours": (500.0, 8760.0),
    "model.prompts": (1.0, 20.0),
    "model.grid": (10.0, 1000.0),
    "model.pue": (1.0, 2.0),
    "model.host": (1.0, 3.0),
    "editing.edit": (0.0, 60.0),
    "editing.review": (0.0, 60.0),
    "editing.prompting": (0.0, 10.0),
    "training.total": (0.0, 30_000.0),
    "training.days": (1.0, 1095.0),
}
"""Inputs that have a slider, and how far it goes at least."""

GRAMS = ("#person alone, g", "#model alone, g", "#person with model, g")
RATIOS = ("#person / model", "#person / with model")
COLUMNS = columns("scenario", "energy", "per", *GRAMS, *RATIOS, "left out")


@dataclass(frozen=True)
class _Worked:
    """A scenario with one energy in it."""

    scenario: Scenario
    energy: str
    case: str | None = None


def section(data: ReportData) -> Section:
    """The panel in which a reader changes a scenario, and all at their values in a fold."""
    found = list(_worked(data))
    worked = [each for each in found if isinstance(each, _Worked)]
    notes = tuple(each for each in found if isinstance(each, str))
    lead = (
        "Whether a page or an image made with a model emits less than one made without depends on what is "
        "counted. Each scenario states it; grams are compared within a scenario alone."
    )
    values = table(COLUMNS, map(_row, worked), "Scenarios at their stated values", "scenarios-table")
    panel = Panel("scenario-panel", tuple(map(_choice, worked)))
    fold = Fold("All scenarios at their values", (values, *notes))
    return Section("Scenarios", (lead, panel, fold), (), "scenarios")


def _worked(data: ReportData) -> Iterator[_Worked | str]:
    """Each scenario with each energy, and how many of them it cannot take."""
    for name, path in sorted(bundled().items(), key=lambda each: FIRST.get(each[0], len(FIRST))):
        draft, refused = find(name), Counter[str]()
        yield _Worked(build(draft), "its own")
        fitting = [each for each in data.compared if each[1].unit == draft.about.unit]
        for found, row in fitting[:OFFERED]:
            energy = f"{row.record.label}, {row.record.machine.name}, {row.kind}, {row.weights} weights"
            place = f"record {found.digest}"
            try:
                scenario = build(draft.measured(row, place))
            except BenchError as error:
                why = error.message.removeprefix(f"{place}: ").replace(str(path), path.name)
                refused[why] += 1
            else:
                yield _Worked(scenario, clean(energy, 120), found.digest)
        yield from (
            f"{name}: {count} of the measured energies cannot be used: {why}"
            for why, count in refused.items()
        )


def _row(worked: _Worked) -> TableRow:
    scenario = worked.scenario
    values = scenario.values()
    grams = footprint(values)
    both = "together" in scenario.sides
    cells: tuple[Cell, ...] = (
        scenario.name,
        f"{worked.energy}; scope {scenario.scope}",
        scenario.unit,
        _point(grams.person_g),
        _point(grams.model_g),
        _point(grams.together_g if both else None),
        _point(ratio(values, "model") if grams.model_g else None),
        _point(ratio(values, "together") if both and grams.together_g else None),
        ", ".join(scenario.absent) or "nothing",
    )
    return TableRow(cells, worked.case)


def _point(value: float | None) -> Cell:
    """A number at the stated values, which has no interval."""
    return None if value is None else Written(by_width(value, None, None), value)


def _choice(worked: _Worked) -> Choice:
    scenario = worked.scenario
    values = scenario.values()
    return Choice(
        label=f"{scenario.name} ({scenario.unit}), energy: {worked.energy}",
        about=clean(scenario.about, 1000),
        unit=scenario.unit,
        sides=scenario.sides,
        values=values,
        units={key: found.unit for key, found in scenario.inputs.items()},
        sliders=tuple(_slider(key, found) for key in SPANS if (found := scenario.inputs.get(key))),
        leaves_out=tuple(clean(sentence, 1000) for sentence in scenario.leaves_out),
    )


def _slider(key: str, found: Input) -> Slider:
    """A slider whose range includes its own value."""
    (low, high), value = SPANS[key], found.spread.value
    return Slider(key, PARAMETERS[key].about, found.unit, min(low, value), max(high, 2 * value))
