"""Grams of one page, image or second: by a model, by a person by both counts, by a person with a model.

    found = answer_of("page", [], choose(None))
    found.of("model", None).grams          # median and 95 % range
    found.of("person", "life").grams
    found.times("together", "equipment")   # person alone over person with the model, equipment only

Pages and images are drawn from the bundled scenarios `collaboration` and `collaboration-image`: prompts,
editing, review, the server and the data centre are in them. Equipment only replaces the person's yearly
emissions by the electricity and the making of a laptop, as `critics` has them. Seconds have no sourced
minutes of editing, so nothing is given there for a person with a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bench.core import modalities
from bench.core.quantities import Grams, Joules, Range
from bench.errors import BenchError
from bench.footprint.bundled_rows import Factor
from bench.footprint.chain import carbon, metered
from bench.footprint.figure_units import joules_per
from bench.footprint.humans import people_of
from bench.footprint.listing import select as published
from bench.footprint.measured import MeasuredRow
from bench.footprint.reference import sources
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.draft import ScenarioDraft, part_of
from bench.footprint.scenarios.files import find
from bench.footprint.scenarios.inputs import InputSpec
from bench.footprint.scenarios.scenario import ComparedSide
from bench.footprint.scenarios.simulation import SimulatedRange, SimulationReport

MadeByWhom = Literal["model", "together", "person"]
PersonCount = Literal["life", "equipment"]

SCENARIOS = {"page": ("collaboration", "critics"), "image": ("collaboration-image", "critics-image")}
"""Scenario with a whole life by the hour, and the one with the laptop of equipment only, by unit."""
SECONDS = {"audio_second": "audio", "video_second": "video"}
"""Units without a scenario, by the modality whose people and published figures are shown."""
OF_THE_PERSON = ("person", "computer", "upbringing")
"""Parts of a scenario that are the person's."""
OF_A_LIFE = ("person.footprint", "person.hours")
DRAWS = 20_000
METHODS: dict[str, PersonCount] = {"top-down": "life", "equipment": "equipment"}
REGION = "US"
"""Region of the persons beside seconds, as in the scenarios."""


@dataclass(frozen=True)
class MadeBy:
    """One way to make a unit, and its grams."""

    maker: MadeByWhom
    count: PersonCount | None
    grams: Range
    sources: tuple[str, ...] = ()
    """Keys of bundled sources, and sources in words."""


@dataclass(frozen=True)
class UnitAnswer:
    """All ways to make one unit. `reports` has the draws by count; none for seconds."""

    unit: str
    energy: str
    """Energy of the model: a record's label and machine, or the published figures."""
    rows: tuple[MeasuredRow, ...]
    """Figures of records that the model's grams are of; empty where its energy is published."""
    made_by: tuple[MadeBy, ...]
    reports: Mapping[PersonCount, SimulationReport]

    @property
    def measured(self) -> bool:
        """Whether the model's energy is of records."""
        return bool(self.rows)

    def of(self, maker: MadeByWhom, count: PersonCount | None) -> MadeBy | None:
        """One way to make it; `None` where nothing is known of it."""
        return next((each for each in self.made_by if (each.maker, each.count) == (maker, count)), None)

    def times(self, maker: MadeByWhom, count: PersonCount) -> Range | None:
        """Grams of the person alone over those of another maker, by one count of the person."""
        if count in self.reports and maker != "person":
            return _range(self.reports[count].ratios[maker])
        model, person = self.of("model", None), self.of("person", count)
        return person.grams / model.grams if maker == "model" and model and person else None

    def flips(self, key: str, count: PersonCount) -> Range | None:
        """Value of an input from which a person alone emits less than one with the model."""
        turn = self.reports[count].turns.get((key, "together")) if count in self.reports else None
        return None if turn is None or turn.median <= 0 else _range(turn)


def answers(rows: Sequence[MeasuredRow], grid: Factor, pue: Factor | None = None) -> Iterator[UnitAnswer]:
    """An answer for each unit that has one."""
    for unit in (*SCENARIOS, *SECONDS):
        if found := answer_of(unit, rows, grid, pue):
            yield found


def answer_of(
    unit: str, rows: Sequence[MeasuredRow], grid: Factor, pue: Factor | None = None
) -> UnitAnswer | None:
    """The answer for one unit, with the highest measured energy where there is one."""
    mine = sorted(_of_unit(unit, rows), key=lambda row: -row.joules.value)
    if unit in SCENARIOS:
        return _drawn(unit, mine, grid, pue)
    return _of_seconds(unit, mine, grid, pue)


def _of_unit(unit: str, rows: Sequence[MeasuredRow]) -> list[MeasuredRow]:
    """Rows at their headline scope, of the modality that people are set beside."""
    modality = SECONDS.get(unit) or modalities.of_unit(unit)[0].name
    return [
        row
        for row in rows
        if row.unit == unit
        and row.record.case.engine == modality
        and row.scope == row.record.figures.headline_scope
    ]


def _drawn(unit: str, rows: Sequence[MeasuredRow], grid: Factor, pue: Factor | None) -> UnitAnswer:
    name, other = SCENARIOS[unit]
    own = find(name)
    draft, row = _with_record(own, rows)
    drafts: dict[PersonCount, ScenarioDraft] = {
        "life": draft,
        "equipment": equipment_only(draft, find(other)),
    }
    reports = {
        count: SimulationReport.of(build(_at(each, grid, pue)), DRAWS, seed=0)
        for count, each in drafts.items()
    }
    life = reports["life"]
    made_by = [MadeBy("model", None, _range(life.grams["model_g"]), _sources(life, "model"))]
    for count, each in reports.items():
        together, person = _range(each.grams["together_g"]), _range(each.grams["person_g"])
        made_by.append(MadeBy("together", count, together, _sources(each, "together")))
        made_by.append(MadeBy("person", count, person, _sources(each, "person")))
    if row is None:
        return UnitAnswer(unit, f"published energy of {own.energy_of}", (), tuple(made_by), reports)
    return UnitAnswer(unit, f"{row.label}, {row.kind}", (row,), tuple(made_by), reports)


def _sources(report: SimulationReport, maker: MadeByWhom) -> tuple[str, ...]:
    """Sources of the inputs behind one way to make it."""
    keys = dict.fromkeys(
        key
        for each in report.scenario.inputs.values()
        if maker == "together" or (part_of(each.key) in OF_THE_PERSON) == (maker == "person")
        for key in each.source.split(", ")
        if part_of(each.key) != "editing" or maker == "together"
    )
    return tuple(key for key in keys if key in sources())


def critics_ahead(unit: str) -> Mapping[ComparedSide, float]:
    """Share of draws in which a person alone emits less, in the critics' scenario of a unit as stated."""
    return SimulationReport.of(build(find(SCENARIOS[unit][1])), DRAWS, seed=0).person_ahead


def _with_record(
    draft: ScenarioDraft, rows: Sequence[MeasuredRow]
) -> tuple[ScenarioDraft, MeasuredRow | None]:
    """The draft with the first record that it can take, and that record."""
    for row in rows:
        try:
            changed = draft.measured(row, "record")
            build(changed)
        except BenchError:  # of another scope or unit: the section of scenarios has the reason
            continue
        return changed, row
    return draft, None


def equipment_only(draft: ScenarioDraft, other: ScenarioDraft) -> ScenarioDraft:
    """The same scenario with a person counted by the laptop of `other`: its electricity and its making."""
    for key in OF_A_LIFE:
        draft = draft.without(key)
    for key, entry in other.entries.items():
        if key in ("person.power", "person.grid") or part_of(key) == "computer":
            draft = draft.stating(key, entry, other.places[key])
    return draft


def _at(draft: ScenarioDraft, grid: Factor, pue: Factor | None) -> ScenarioDraft:
    """The draft on the reader's grid, for the model and the person's computer alike, and at their PUE."""
    stated = {key: grid for key in ("model.grid", "person.grid") if key in draft.entries}
    if pue is not None and "model.pue" in draft.entries:
        stated["model.pue"] = pue
    for key, factor in stated.items():
        source = f"{factor.id}: {factor.source}"
        entry = InputSpec(value=factor.value, unit=factor.unit, source=source)
        draft = draft.stating(key, entry, f"the report's {key}")
    return draft


def _of_seconds(
    unit: str, rows: Sequence[MeasuredRow], grid: Factor, pue: Factor | None
) -> UnitAnswer | None:
    modality = SECONDS[unit]
    others = [] if rows else list(_published(unit, modality, grid))
    grams = [row.carbon(grid, pue).result.range for row in rows] + [span for _, span in others]
    if not grams:
        return None
    made_by = [MadeBy("model", None, _spanning(grams), tuple(dict.fromkeys(source for source, _ in others)))]
    for method, count in METHODS.items():
        people = {
            each.human.baseline.id: (each.human.baseline.source, each.result.range)
            for each in people_of(modality)
            if each.human.baseline.method == method
            and each.human.baseline.region == REGION
            and isinstance(each.result, Grams)
        }
        if people:
            from_whom = tuple(dict.fromkeys(source for source, _ in people.values()))
            made_by.append(
                MadeBy("person", count, _spanning([span for _, span in people.values()]), from_whom)
            )
    kinds = " and ".join(dict.fromkeys(f"{row.label}, {row.kind}" for row in rows))
    energy = kinds or f"{len(grams)} published figures of scope gpu"
    return UnitAnswer(unit, energy, tuple(rows), tuple(made_by), {})


def _published(unit: str, modality: str, grid: Factor) -> Iterator[tuple[str, Range]]:
    """Source and grams of each published figure of cards."""
    for figure in published():
        joules = joules_per(figure, unit) if (figure.modality, figure.scope) == (modality, "gpu") else None
        if joules is not None:
            yield figure.source, carbon(metered(Joules(joules.range), "gpu"), grid).result.range


def _spanning(ranges: Sequence[Range]) -> Range:
    """Median of some figures, from the lowest to the highest of them."""
    return Range(
        median(each.value for each in ranges),
        min(each.low for each in ranges),
        max(each.high for each in ranges),
    )


def _range(drawn: SimulatedRange) -> Range:
    """Median and 95 % of the draws."""
    return Range(drawn.median, drawn.low, drawn.high)
