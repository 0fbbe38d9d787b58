"""Units in which an input of a scenario may be stated, beside its own, and what energy is one of.

answer_of("Wh/request", "page")                               # "query"
conversions("person.work", "page", "query")["words/h"](300)   # 0.833 h/page
"""

from __future__ import annotations

from collections.abc import Callable

from bench.footprint.quantities import UnitError
from bench.footprint.reference import J_PER, human_quantities
from bench.footprint.scenario_model import MIN_PER_HOUR, PARAMETERS

SAME_ANSWER = {"output_token": "token", "tokens": "token", "request": "query", "queries": "query"}
"""Names of what energy is stated for that mean the same."""

Convert = Callable[[float], float]


def unit_of(key: str, made: str, answer: str) -> str:
    """The unit of an input: `h/page` for `h/UNIT`."""
    return PARAMETERS[key].unit.replace("UNIT", made).replace("ANSWER", answer)


def answer_of(unit: str, made: str) -> str:
    """What the energy is one of: `query` for `Wh/request`. Raises UnitError."""
    energy, _, each = unit.partition("/")
    if energy not in J_PER or not each:
        raise UnitError(f"{unit} is no energy of one answer.", f"J/{made} or Wh/query would be one.")
    return SAME_ANSWER.get(each, each)


def conversions(key: str, made: str, answer: str) -> dict[str, Convert]:
    """Units beside its own in which an input may be stated. Words are those of a page of 250."""
    words = human_quantities()["page.words.tomlinson"].value
    shares: dict[str, Convert] = {"%": lambda found: found / 100}
    found: dict[str, dict[str, Convert]] = {
        "person.footprint": {"kg CO2e/yr": lambda kg: kg / 1e3},
        "person.work": {f"min/{made}": lambda minutes: minutes / MIN_PER_HOUR},
        "model.energy": {
            f"{unit}/{each}": lambda energy, joules=joules: energy * joules  # type: ignore[misc]
            for unit, joules in J_PER.items()
            for each in (answer, *(name for name, same in SAME_ANSWER.items() if same == answer))
        },
        "model.answers": {f"{answer}s/{made}": float},
        "model.prompts": {"prompts/thread": float},  # a thread of prompts ends with the scene asked for
        "training.total": {"kg CO2e": lambda kg: kg / 1e3},
        "training.days": {"yr": lambda years: years * 365},
        "editing.edit": {f"h/{made}": lambda hours: hours * MIN_PER_HOUR},
        "editing.review": {f"h/{made}": lambda hours: hours * MIN_PER_HOUR},
        "idle.share": shares,
        "batch.shared": shares,
        "embodied.utilisation": shares,
    }
    paged: dict[str, dict[str, Convert]] = {
        "person.work": {"words/h": lambda speed: words / speed},
        "model.answers": {f"words/{answer}": lambda each: words / each},
        "training.queries": {"words/query": lambda each: words / each},
        "editing.edit": {"words/h": lambda speed: words / speed * MIN_PER_HOUR},
        "editing.review": {"words/h": lambda speed: words / speed * MIN_PER_HOUR},
    }
    return found.get(key, {}) | (paged.get(key, {}) if made == "page" else {})
