"""The human side: what a person's page or image takes, by methods that answer different questions.

    for human in select(unit="page", region="US"):
        print(human.baseline.id, human.baseline.method, human.result.value, human.result.unit)
    for each in people_of("audio"):
        print(each.work.work, each.result.value)    # the same per second of music

Inside a figure is what its method counts (see `METHODS`) for the hours that the work takes. A figure of one
method is never set beside one of another without the method's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import floor, log10
from typing import NamedTuple

from bench.core.near_names import unknown
from bench.core.quantities import WH_PER_KWH, Grams, Quantity, Range, UnitError, WattHours
from bench.footprint.bundled_rows import Baseline, EvidenceGrade, Factor, weakest
from bench.footprint.chain import G_PER_T
from bench.footprint.reference import baselines, factors, human_quantities
from bench.footprint.work_units import WorkUnit, named, work_of, work_units

UNITS = ("page", "image")
"""Units that are shown by default."""

PER_HOUR = {"h": 1.0, "min": 60.0}
"""Number of each unit of time in an hour."""

Inputs = Mapping[str, Factor]


class BaselineMethod(NamedTuple):
    """A way to count, in words and as a function of its inputs."""

    about: str
    formula: str
    compute: Callable[[Inputs], Quantity] | None
    """`None` where the source gives only the outcome."""


@dataclass(frozen=True)
class Human:
    """A baseline with what its inputs give."""

    baseline: Baseline
    result: Quantity
    factors: tuple[Factor, ...]

    @property
    def evidence(self) -> EvidenceGrade:
        """That of the weakest of the baseline and its inputs."""
        return weakest([self.baseline.evidence, *(factor.evidence for factor in self.factors)])

    @property
    def method(self) -> BaselineMethod:
        """Method of counting."""
        return METHODS[self.baseline.method]


def hours_of(work: Factor) -> Range:
    """Hours that one of what is made takes, from a speed or a time."""
    time, _, made = work.unit.partition("/")
    if work.unit == "words/h":
        return human_quantities()["page.words.tomlinson"].range / work.range
    if made and time in PER_HOUR:
        return work.range / PER_HOUR[time]
    raise UnitError(f"{work.id} is in {work.unit}, and words/h, h/image or min/task belongs here.")


def _top_down(inputs: Inputs) -> Quantity:
    per_hour = inputs["footprint"].range * G_PER_T / inputs["hours_per_year"].range
    return Grams(per_hour * hours_of(inputs["work"]))


def _equipment(inputs: Inputs) -> Quantity:
    energy_kwh = inputs["power"].range / WH_PER_KWH * hours_of(inputs["work"])
    return Grams(energy_kwh * inputs["grid"].range)


def _metabolic(inputs: Inputs) -> Quantity:
    return WattHours(inputs["power"].range * hours_of(inputs["work"]))


def _electricity(inputs: Inputs) -> Quantity:
    per_hour = inputs["electricity"].range * WH_PER_KWH / inputs["hours_per_year"].range
    return WattHours(per_hour * hours_of(inputs["work"]))


METHODS: dict[str, BaselineMethod] = {
    "top-down": BaselineMethod(
        "an average resident's yearly emissions, spread over all hours of the year",
        "t/yr × 1e6 / 8760 h × hours of work",
        _top_down,
    ),
    "work-hours": BaselineMethod(
        "the same emissions, charged to paid hours alone",
        "t/yr × 1e6 / 2080 h × hours of work",
        _top_down,
    ),
    "equipment": BaselineMethod(
        "electricity of the computer while it is worked at, nothing else",
        "W / 1000 × hours of work × g/kWh",
        _equipment,
    ),
    "bottom-up": BaselineMethod(
        "the workplace's parts, added up: light, heating, laptop, its making", "", None
    ),
    "metabolic": BaselineMethod(
        "energy of the body while it works; food, not electricity", "W × hours", _metabolic
    ),
    "top-down-energy": BaselineMethod(
        "a year of all electricity per head, charged to paid hours",
        "kWh/yr × 1000 / 2080 h × hours of work",
        _electricity,
    ),
    "inventory": BaselineMethod("what a production or a sector reports as a whole", "", None),
}
"""Every method, in the order in which it is shown."""


def human(baseline: Baseline) -> Human:
    """A baseline and what its inputs give."""
    known = {**factors(), **human_quantities()}
    inputs = {name: known[key] for name, key in baseline.inputs.items()}
    compute = METHODS[baseline.method].compute
    if compute is not None and inputs:
        return Human(baseline, compute(inputs), tuple(inputs.values()))
    assert baseline.value is not None  # a baseline without inputs has one
    span = Range.of(baseline.value, baseline.low, baseline.high)
    return Human(baseline, Grams(span * {"g CO2e": 1.0, "t CO2e": G_PER_T}[str(baseline.value_unit)]), ())


@dataclass(frozen=True)
class HumanPerUnit:
    """A baseline in the unit of models: grams for each second of music in place of each minute."""

    human: Human
    work: WorkUnit

    @property
    def result(self) -> Quantity:
        """What one unit of the modality takes."""
        return self.human.result / self.work.count

    @property
    def person(self) -> str:
        """`US person, composing`; the work is left out where the modality has one kind of it."""
        who = f"{self.human.baseline.region} person"
        return who if len(work_of(self.work.modality)) == 1 else f"{who}, {self.work.work}"

    def ratio(self, grams: Grams) -> Range | None:
        """How many times as much a person emits as a model per unit.

        `None` where the model emits nothing, or the method gives the energy of a body or a country.
        """
        mine = self.result
        return mine / grams if isinstance(mine, Grams) and grams.low > 0 else None


def per_model_unit(human: Human) -> HumanPerUnit | None:
    """The same per unit of the models that make it; `None` where none does, or the unit is that already."""
    works = (work for work in work_units() if work.unit == human.baseline.unit and work.count != 1)
    return next((HumanPerUnit(human, work) for work in works), None)


def people_of(modality: str) -> list[HumanPerUnit]:
    """People who make the same as a modality, by method and kind of work, per unit of the modality."""
    return [HumanPerUnit(each, work) for work in work_of(modality) for each in select(work.unit)]


def select(unit: str | None = None, region: str | None = None, method: str | None = None) -> list[Human]:
    """The baselines asked for, by method. Raises UsageError for a name that no baseline has.

    `unit` is one of baselines (`music_minute`), or one of models (`audio_second`) for all counted in it.
    """
    found = list(baselines().values())
    units = UNITS if unit is None else _units(unit, {each.unit for each in found})
    found = [each for each in found if each.unit in units]
    if region is not None:
        chosen = _one(region, {each.region for each in found}, f"region of {' or '.join(units)} baselines")
        found = [each for each in found if each.region == chosen]
    if method is not None:
        chosen = _one(method, METHODS, "method")
        found = [each for each in found if each.method == chosen]
    order = list(METHODS)
    return [human(each) for each in sorted(found, key=lambda each: order.index(each.method))]


def _units(unit: str, known: set[str]) -> tuple[str, ...]:
    """The units of baselines that a name means."""
    of_models = {each.model_unit for each in work_units()}
    found = _one(unit, known | of_models, "unit")
    return (found,) if found in known else tuple(named(found))


def _one(name: str, names: Iterable[str], kind: str) -> str:
    known = {known.lower(): known for known in names}
    if name.lower() not in known:
        raise unknown(kind, name, known.values())
    return known[name.lower()]


def significant(value: float, digits: int = 2) -> float:
    """Round to `digits` significant digits."""
    return round(value, digits - 1 - floor(log10(abs(value)))) if value else 0.0
