"""Units in which an input of a scenario may be stated, beside its own, and what energy is one of.

answer_of("Wh/request", "page")                               # "query"
conversions("person.work", "page", "query")["words/h"].of(300)   # 0.833 h/page
"""

from __future__ import annotations

from typing import NamedTuple

from bench.core.quantities import UnitError
from bench.footprint.bundled_rows import J_PER
from bench.footprint.reference import human_quantities
from bench.footprint.scenarios.model import MIN_PER_HOUR, PARAMETERS, Number

SAME_ANSWER = {"output_token": "token", "tokens": "token", "request": "query", "queries": "query"}
"""Names of what energy is stated for that mean the same."""


class Convert(NamedTuple):
    """Conversion of a unit: times a factor; or, from a speed to a time, the factor over it."""

    factor: float = 1.0
    inverse: bool = False

    def of(self, found: Number) -> Number:
        """A number, or an array of draws, in the other unit."""
        return self.factor / found if self.inverse else self.factor * found


def unit_of(key: str, made: str, answer: str) -> str:
    """The unit of an input: `h/page` for `h/UNIT`."""
    return PARAMETERS[key].unit.replace("UNIT", made).replace("ANSWER", answer)


def answer_of(unit: str, made: str) -> str:
    """Unit of output of the energy: `query` for `Wh/request`. Raises UnitError."""
    energy, _, each = unit.partition("/")
    if energy not in J_PER or not each:
        raise UnitError(f"{unit} is not an energy of one answer.", f"Use J/{made} or Wh/query.")
    return SAME_ANSWER.get(each, each)


def conversions(key: str, made: str, answer: str) -> dict[str, Convert]:
    """Units beside its own in which an input may be stated. Words are those of a page of 250."""
    words = human_quantities()["page.words.tomlinson"].value
    shares: dict[str, Convert] = {"%": Convert(0.01)}
    found: dict[str, dict[str, Convert]] = {
        "person.footprint": {"kg CO2e/yr": Convert(1e-3)},
        "person.work": {f"min/{made}": Convert(1 / MIN_PER_HOUR)},
        "model.energy": {
            f"{unit}/{each}": Convert(joules)
            for unit, joules in J_PER.items()
            for each in (answer, *(name for name, same in SAME_ANSWER.items() if same == answer))
        },
        "model.answers": {f"{answer}s/{made}": Convert()},
        "model.prompts": {"prompts/thread": Convert()},  # a thread of prompts ends with the scene asked for
        "training.total": {"kg CO2e": Convert(1e-3)},
        "training.days": {"yr": Convert(365.0)},
        "editing.edit": {f"h/{made}": Convert(MIN_PER_HOUR)},
        "editing.review": {f"h/{made}": Convert(MIN_PER_HOUR)},
        "person.success": shares,
        "model.success": shares,
        "idle.share": shares,
        "batch.shared": shares,
        "embodied.utilisation": shares,
    }
    paged: dict[str, dict[str, Convert]] = {
        "person.work": {"words/h": Convert(words, inverse=True)},
        "model.answers": {f"words/{answer}": Convert(words, inverse=True)},
        "training.queries": {"words/query": Convert(words, inverse=True)},
        "editing.edit": {"words/h": Convert(words * MIN_PER_HOUR, inverse=True)},
        "editing.review": {"words/h": Convert(words * MIN_PER_HOUR, inverse=True)},
    }
    return found.get(key, {}) | (paged.get(key, {}) if made == "page" else {})
