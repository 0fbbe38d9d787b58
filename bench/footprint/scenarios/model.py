"""The formulas of a scenario: a person alone, a model alone, a person with a model. Plain arithmetic.

    x = {"person.work": 0.83, "model.energy": 1500.0, ...}      # every key of PARAMETERS
    footprint(x).person_g / footprint(x).model_g

The arithmetic is + - * / alone, so that it is the same for one number and for an array of draws, and can be
written down in any other language. A part that a scenario does not count has its `neutral` values, with
which its share is 0 or its factor 1. Inside: what PARAMETERS name. Outside: everything else; above all what
the person does in the time that is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from bench.core.quantities import J_PER_KWH, WH_PER_KWH
from bench.footprint.chain import G_PER_KG, G_PER_T, HOURS_PER_YEAR, S_PER_HOUR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_PER_HOUR = 60.0

Number = TypeVar("Number", float, "NDArray[np.float64]")
"""One number, or an array of draws."""


class Parameter(NamedTuple):
    """One input: its unit, what it is, the least and the most it can be, its value where it is not counted.

    `UNIT` in the unit is what is made (page, image), `ANSWER` what the energy is one of (query, token, page).
    """

    unit: str
    about: str
    least: float
    most: float
    neutral: float | None = None


PARAMETERS: dict[str, Parameter] = {
    "person.footprint": Parameter("t CO2e/yr", "yearly emissions of an average resident", 0.0, 1e3, 0.0),
    "person.hours": Parameter("h/yr", "hours that they are spread over", 1.0, 8784.0, 1.0),
    "person.power": Parameter("W", "electric power of the computer worked at", 0.0, 1e4, 0.0),
    "person.display": Parameter("W", "electric power of a display beside the computer", 0.0, 1e4, 0.0),
    "person.grid": Parameter("g CO2e/kWh", "grid factor where the person works", 0.0, 2000.0, 0.0),
    "person.work": Parameter("h/UNIT", "time the person alone takes", 1e-6, 1e5),
    "person.success": Parameter(
        "1", "share of what the person makes alone that is accepted", 0.001, 1.0, 1.0
    ),
    "model.energy": Parameter("J/ANSWER", "energy of one answer, busy machine", 0.0, 1e12),
    "model.answers": Parameter("ANSWER/UNIT", "answers that one draft takes", 1e-9, 1e9, 1.0),
    "model.host": Parameter("1", "energy of the server over that of its cards", 1.0, 10.0, 1.0),
    "model.grid": Parameter("g CO2e/kWh", "grid factor where the model runs", 0.0, 2000.0),
    "model.pue": Parameter("1", "overhead of the data centre", 1.0, 3.0, 1.0),
    "model.prompts": Parameter("prompts/UNIT", "drafts asked for until one is accepted", 1e-3, 1e6),
    "model.success": Parameter("1", "share of threads that end with an accepted draft", 0.001, 1.0, 1.0),
    "idle.share": Parameter("1", "share of the energy drawn while nothing is asked", 0.0, 0.999, 0.0),
    "batch.measured": Parameter(
        "answers", "answers made together where the energy was measured", 1.0, 1e6, 1.0
    ),
    "batch.served": Parameter("answers", "answers made together where it is served", 1.0, 1e6, 1.0),
    "batch.shared": Parameter("1", "share of the measured energy spent once a batch", 0.0, 1.0, 0.0),
    "training.total": Parameter("t CO2e", "emissions of training", 0.0, 1e9, 0.0),
    "training.per_day": Parameter("queries/day", "queries of all users", 1.0, 1e15, 1.0),
    "training.days": Parameter("days", "days over which training is written off", 1.0, 36500.0, 1.0),
    "training.queries": Parameter("queries/UNIT", "queries that one draft takes", 1e-9, 1e6, 1.0),
    "embodied.made": Parameter("kg CO2e", "emissions of making one device", 0.0, 1e6, 0.0),
    "embodied.lifetime": Parameter("yr", "lifetime of the device", 0.1, 50.0, 1.0),
    "embodied.utilisation": Parameter("1", "share of its lifetime that it works", 0.001, 1.0, 1.0),
    "embodied.power": Parameter(
        "W", "power of the device at work: turns energy into its time", 1.0, 1e5, 1.0
    ),
    "editing.edit": Parameter("min/UNIT", "editing the accepted draft", 0.0, 1e5, 0.0),
    "editing.review": Parameter("min/UNIT", "reading and checking it", 0.0, 1e5, 0.0),
    "editing.prompting": Parameter("min/prompt", "writing a prompt and reading its draft", 0.0, 1e4, 0.0),
    "computer.made": Parameter("kg CO2e", "emissions of making the person's computer", 0.0, 1e5, 0.0),
    "computer.lifetime": Parameter("yr", "lifetime of the computer", 0.1, 50.0, 1.0),
    "computer.hours": Parameter("h/yr", "hours of a year that its making is spread over", 1.0, 8784.0, 1.0),
    "upbringing.energy": Parameter("kWh", "electricity that the person's years before took", 0.0, 1e8, 0.0),
    "upbringing.grid": Parameter("g CO2e/kWh", "grid factor of those years", 0.0, 2000.0, 0.0),
    "upbringing.hours": Parameter("h", "hours of work that they are spread over", 1.0, 1e6, 1.0),
}
"""Every input, in the order in which it is shown."""


@dataclass(frozen=True)
class ScenarioOutcome(Generic[Number]):
    """Grams CO2e per page or image of each way to make it, and what a draft's are made of."""

    person_g: Number
    """The person alone."""
    model_g: Number
    """The model alone: all drafts for one that is accepted, those of threads that fail included."""
    together_g: Number
    """The drafts of one thread, the person's time for prompting, editing and review, and the share of threads
    that fail done by the person alone."""
    draft_g: Number
    operation_g: Number
    training_g: Number
    embodied_g: Number
    hour_g: Number
    """An hour of the person, with the two below."""
    computer_g: Number
    """An hour's share of making the person's computer."""
    upbringing_g: Number
    """An hour's share of the electricity of the person's years before."""


def footprint(x: Mapping[str, Number]) -> ScenarioOutcome[Number]:
    """Grams from inputs; `x` has every key of PARAMETERS, in its unit."""
    hour_g = x["person.footprint"] * G_PER_T / x["person.hours"]
    hour_g = hour_g + (x["person.power"] + x["person.display"]) / WH_PER_KWH * x["person.grid"]
    computer_g = x["computer.made"] * G_PER_KG / (x["computer.lifetime"] * x["computer.hours"])
    upbringing_g = x["upbringing.energy"] * x["upbringing.grid"] / x["upbringing.hours"]
    hour_g = hour_g + computer_g + upbringing_g
    person_g = hour_g * x["person.work"] / x["person.success"]

    batching = 1 - x["batch.shared"] + x["batch.shared"] * x["batch.measured"] / x["batch.served"]
    busy_j = x["model.energy"] * x["model.answers"] * batching
    drawn_j = busy_j * x["model.host"] / (1 - x["idle.share"]) * x["model.pue"]
    operation_g = drawn_j / J_PER_KWH * x["model.grid"]

    spread_over = x["training.per_day"] * x["training.days"]
    training_g = x["training.total"] * G_PER_T / spread_over * x["training.queries"]

    device_h = busy_j / x["embodied.power"] / S_PER_HOUR
    life_h = x["embodied.lifetime"] * HOURS_PER_YEAR * x["embodied.utilisation"]
    embodied_g = x["embodied.made"] * G_PER_KG / life_h * device_h

    draft_g = operation_g + training_g + embodied_g
    drafts_g = draft_g * x["model.prompts"]
    by_hand_g = (1 - x["model.success"]) * person_g  # what the model does not get done, the person does
    attended_min = x["editing.edit"] + x["editing.review"] + x["editing.prompting"] * x["model.prompts"]
    return ScenarioOutcome(
        person_g=person_g,
        model_g=drafts_g / x["model.success"],
        together_g=drafts_g + hour_g * attended_min / MIN_PER_HOUR + by_hand_g,
        draft_g=draft_g,
        operation_g=operation_g,
        training_g=training_g,
        embodied_g=embodied_g,
        hour_g=hour_g,
        computer_g=computer_g,
        upbringing_g=upbringing_g,
    )
