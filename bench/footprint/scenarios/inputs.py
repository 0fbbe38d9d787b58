"""One input of a scenario: from what a file or a command line states to a number in the model's own unit.

    InputSpec(value="rate.write.tomlinson")                                   # a bundled figure, by its id
    InputSpec(value=300.0, unit="words/h", source="timed myself")             # a number, with unit and source
    InputSpec(value="rate.write.tomlinson", low="rate.write.ebizlr", high="rate.write.orbit2023",
              distribution="triangular")

A number without a unit, a unit that means something else, and a range without a distribution are refused.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from bench.core.quantities import UnitError
from bench.errors import UsageError
from bench.footprint.bundled_rows import EvidenceGrade, Factor, Part, Published, weakest
from bench.footprint.reference import factors, human_quantities, paper_inputs, published
from bench.footprint.scenarios.distributions import KINDS, DistributionKind, Spread
from bench.footprint.scenarios.model import PARAMETERS
from bench.footprint.scenarios.units import Convert, conversions, unit_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCOPED = ("model.energy", "embodied.power")
"""Inputs with a metered energy and its time: time is the one over the other, so both cover the same."""

STATE_IT = f"State its distribution, one of {', '.join(KINDS)}."


class InputSpec(Part):
    """Statement of one input of a scenario."""

    value: Any = None
    """A number, or the id of a bundled figure; so are `low` and `high`."""
    low: Any = None
    high: Any = None
    unit: str | None = None
    """Of the numbers; a bundled figure brings its own."""
    distribution: DistributionKind | None = None
    source: str | None = None
    """Source of a number: a key of the bundled sources, or words."""
    scope: str | None = None
    """Of energy, or of a device's power, that is given as a number."""
    note: str | None = None

    @field_validator("value", "low", "high")
    @classmethod
    def _number_or_id(cls, found: Any) -> float | str | None:
        if isinstance(found, str):  # YAML reads 1e7 as text
            with suppress(ValueError):
                found = float(found)
        if found is None or isinstance(found, str):
            return found
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise ValueError("expected a number, or the id of a bundled figure")
        return float(found)


@dataclass(frozen=True)
class Converted:
    """A spread in another unit: drawn as it is stated, each draw then converted.

    A uniform speed is not a uniform time, so converting the ends alone would be wrong.
    """

    stated: Spread
    convert: Convert

    @property
    def kind(self) -> DistributionKind:
        """The distribution, of the number as it is stated."""
        return self.stated.kind

    @property
    def value(self) -> float:
        """The stated value, converted."""
        return self.convert.of(self.stated.value)

    @property
    def interval(self) -> tuple[float, float]:
        """Central interval with 95 % of the draws."""
        return self._between(self.stated.interval)

    @property
    def reach(self) -> tuple[float, float]:
        """Range of ±4 standard deviations, or the support of a bounded distribution."""
        return self._between(self.stated.reach)

    def _between(self, ends: tuple[float, float]) -> tuple[float, float]:
        low, high = sorted(map(self.convert.of, ends))  # a speed's low is a time's high
        return low, high

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """So many independent draws."""
        return self.convert.of(self.stated.draw(generator, count))


@dataclass(frozen=True)
class Input:
    """One input in its own unit, and where it comes from."""

    key: str
    unit: str
    spread: Converted
    given: str
    """As it was stated, in the unit that it was stated in."""
    source: str
    evidence: EvidenceGrade
    note: str | None = None


@dataclass(frozen=True)
class StatedNumbers:
    """The numbers of an entry with their unit, before any conversion."""

    value: float | None
    low: float | None
    high: float | None
    unit: str
    scope: str | None
    idle_inside: bool
    """Whether its energy includes an idle machine's, by its bundled figure."""
    sources: tuple[str, ...]
    ids: tuple[str, ...]
    evidence: EvidenceGrade


def figure(name: str) -> Factor | Published:
    """A bundled figure by its id. Raises UsageError."""
    known: dict[str, Factor | Published] = {**factors(), **human_quantities(), **paper_inputs()}
    known |= {row.id: row for row in published() if row.value is not None}
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f'Did you mean "{near[0]}"?' if near else "Or give a number with its unit."
        raise UsageError(f'Unknown bundled figure "{name}".', hint)
    return known[name]


def state(entry: InputSpec) -> StatedNumbers:
    """The numbers that an entry gives or points to. Raises UsageError."""
    rows = {
        end: figure(found)
        for end in ("value", "low", "high")
        if isinstance(found := getattr(entry, end), str)
    }
    numbers: dict[str, float | None] = {
        end: _scaled(rows[end]) if end in rows else getattr(entry, end) for end in ("value", "low", "high")
    }
    units = {_unit(row) for row in rows.values()} | ({entry.unit} if entry.unit else set())
    if not units:
        raise UnitError("The number has no unit.", "State `unit:`.")
    if len(units) > 1:
        raise UnitError(f"Its parts are in {' and in '.join(sorted(units))}: one unit belongs here.")
    if all(found is None for found in numbers.values()):
        raise UsageError("The value is missing.", "Give a number or the id of a bundled figure.")
    if len(rows) < sum(found is not None for found in numbers.values()) and entry.source is None:
        raise UsageError("A number needs a `source`.")
    _take_range(entry, rows.get("value"), numbers)
    evidence = weakest([row.evidence for row in rows.values()] + ([] if entry.source is None else ["stated"]))
    sources = dict.fromkeys([*(row.source for row in rows.values()), *filter(None, [entry.source])])
    if "value" in rows and entry.scope is not None:
        raise UsageError(
            f"{rows['value'].id} brings its own scope, `{rows['value'].scope}`.", "Take `scope` out."
        )
    scope = rows["value"].scope if "value" in rows else entry.scope
    ids = tuple(dict.fromkeys(row.id for row in rows.values()))
    ends = (numbers["value"], numbers["low"], numbers["high"])
    idle = any(isinstance(row, Published) and row.idle_inside for row in rows.values())
    return StatedNumbers(*ends, units.pop(), scope, idle, tuple(sources), ids, evidence)


def _take_range(entry: InputSpec, row: Factor | Published | None, numbers: dict[str, float | None]) -> None:
    """A bundled figure's own range is used if a distribution is stated without a range."""
    if row is not None and row.low is not None and numbers["low"] is None and numbers["high"] is None:
        if entry.distribution is None:
            raise UsageError(f"{row.id} is a range.", f"{STATE_IT} `point` takes its value alone.")
        if entry.distribution != "point":
            numbers["low"], numbers["high"] = _scaled(row, row.low), _scaled(row, row.high)
    elif entry.distribution is None and (numbers["low"] is not None or numbers["high"] is not None):
        raise UsageError("The range has no distribution.", STATE_IT)


def _scaled(row: Factor | Published, end: float | None = None) -> float:
    found = row.value if end is None else end
    assert found is not None  # rows without a value cannot be chosen
    return found / row.count if isinstance(row, Published) else found


def _unit(row: Factor | Published) -> str:
    return f"{row.value_unit}/{row.unit}" if isinstance(row, Published) else row.unit


def resolve(key: str, entry: InputSpec, made: str, answer: str) -> Input:
    """An entry as an input in the unit of its key. Raises UsageError."""
    stated = state(entry)
    parameter = PARAMETERS[key]
    unit = unit_of(key, made, answer)
    units = {unit: Convert()} | conversions(key, made, answer)
    if stated.unit not in units:
        raise UnitError(f"It is in {stated.unit}, and {' or '.join(units)} belongs here.")
    if entry.scope is not None and key not in SCOPED:
        raise UsageError(f"Only {' and '.join(SCOPED)} have a `scope`.", "Take it out.")
    bare = Spread.of(entry.distribution or "point", stated.value, stated.low, stated.high)
    if units[stated.unit].inverse and bare.reach[0] <= 0:
        raise UsageError(f"It reaches {bare.reach[0]:g} {stated.unit}. A speed of 0 never ends.")
    spread = Converted(bare, units[stated.unit])
    least, most = spread.reach
    if not parameter.least <= least <= most <= parameter.most:
        shown = f"{least:g}" if least == most else f"{least:g} to {most:g}"
        of = "" if unit == "1" else f" {unit}"
        limits = f"It must be between {parameter.least:g} and {parameter.most:g}{of}."
        raise UsageError(f"{shown}{of} cannot be ({parameter.about}).", limits)
    return Input(key, unit, spread, _as_given(stated), ", ".join(stated.sources), stated.evidence, entry.note)


def _as_given(stated: StatedNumbers) -> str:
    value = "" if stated.value is None else f"{stated.value:.7g} "
    span = "" if stated.low is None or stated.high is None else f"({stated.low:.7g} to {stated.high:.7g}) "
    ids = f" [{', '.join(stated.ids)}]" if stated.ids else ""
    return f"{value}{span}{'' if stated.unit == '1' else stated.unit}".strip() + ids
