"""Result of a meter's windows: a mean with its interval, its budget, and its validity.

    result = meter.result()
    result.energy_per_unit_j.low, result.energy_per_unit_j.high     # 95 % interval over the windows
    result.valid, result.reasons
    json.dump(result.as_dict(), file)      # `python -m bench compare` reads it

It is a `Measurement` like a record, but its work is known by the name that the program gave it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from bench.core.block import Block, Idle
from bench.core.budget import Expanded
from bench.core.figures import Carbon, Estimate, Figures, ScopedFigure
from bench.core.machine import Machine
from bench.core.measurement import Measurement
from bench.core.model import SchemaModel
from bench.core.provenance import Provenance
from bench.core.repetition import Pair
from bench.core.scope import MeteredScope

MIN_WINDOWS = 5
"""Fewest valid windows for a useful interval; the same as for a record's blocks."""


class EnergyResult(Measurement):
    """The windows so far and everything that follows from the valid ones; `as_dict` is made for JSON.

        result = meter.result()
        result.energy_per_unit_j.value, result.energy_per_unit_j.low    # joules; None where nothing was read
        result.valid, result.reasons

    Blocks, idle and figures are those of a record (`docs/records.md`). A case is absent, because only its
    author can describe the work: two results are of the same work if `name` and `unit` are equal.
    """

    schema_name: Literal["joulebench/energy/1"] = Field("joulebench/energy/1", alias="schema")
    status: Literal["ok", "invalid"]
    reasons: list[str]
    name: str | None = None
    """Name of the work, in the caller's words; of a test its node id."""
    unit: str
    blocks: list[Block]
    idle: dict[str, Idle]
    figures: Figures
    carbon: Carbon | None
    machine: Machine
    provenance: Provenance
    absent: dict[str, str]
    """Reasons for missing values, by name of the value or the domain."""
    pair: Pair | None = None
    """The other command, where both were measured in turns by `bench ab`."""

    @property
    def side_by_side(self) -> None:
        """Never known of a program's own windows."""

    @property
    def label(self) -> str:
        """The name, or what its windows make."""
        return self.name or f"windows of {self.unit}"

    @property
    def created(self) -> str:
        """Time of the first window's start; empty before."""
        return self.provenance.created or ""

    @property
    def work_name(self) -> str:
        """The same as the label: no model is known."""
        return self.label

    @property
    def work_key(self) -> str:
        """Name and unit, which together identify the work."""
        return f"{self.unit} {self.name or ''}".rstrip()

    @property
    def random_weights(self) -> bool:
        """False: what weights a program uses is not known."""
        return False

    @property
    def run_id(self) -> None:
        """None: a program's windows belong to no run."""

    @property
    def engine(self) -> None:
        """None: the program loaded what it needed itself."""

    @property
    def ended(self) -> None:
        """None: the program decides how many windows there are."""

    def identity(self) -> Mapping[str, Any]:
        """Name and unit; of a side of a pair the names of both, which are meant to be compared."""
        if self.pair is not None:
            return {"name": " | ".join(sorted((self.label, self.pair.other))), "unit": self.unit}
        return {"name": self.name, "unit": self.unit}

    @property
    def valid(self) -> bool:
        """Whether there are enough valid windows for the figure to be believed."""
        return self.status == "ok"

    @property
    def scope(self) -> MeteredScope | None:
        """Coverage of the joules: the metered cards, or, without one, the host."""
        return self.figures.headline_scope

    @property
    def kind(self) -> Literal["measured", "estimated", "mixed"] | None:
        """Whether the joules are measured, estimated by a model of power, or a sum of both."""
        figure = self._headline()
        return figure.kind if figure else None

    @property
    def energy_per_unit_j(self) -> Estimate | None:
        """Gross joules per unit: mean of the valid windows with a 95 % t interval (`low`, `high`)."""
        return self.headline()

    @property
    def net_per_unit_j(self) -> Estimate | None:
        """The same without what the metered domains draw when idle."""
        figure = self._headline()
        return figure.net if figure else None

    @property
    def same_card(self) -> Expanded | None:
        """Gross joules per unit with what counts against the same card at like power."""
        return self._budget("same_card")

    @property
    def absolute(self) -> Expanded | None:
        """Gross joules per unit with what counts against any other card or machine."""
        return self._budget("absolute")

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for `json.dump`."""
        return self.model_dump(mode="json", by_alias=True)

    def _headline(self) -> ScopedFigure | None:
        scope = self.figures.headline_scope
        return self.figures.energy_per_unit_j[scope] if scope else None

    def _budget(self, which: Literal["same_card", "absolute"]) -> Expanded | None:
        uncertainty = self.figures.uncertainty
        budget = uncertainty.gross if uncertainty else None
        found: Expanded | None = getattr(budget, which, None)
        return found

    def __repr__(self) -> str:
        return f"<EnergyResult {self}>"

    def __str__(self) -> str:
        found = self.energy_per_unit_j
        state = self.status if self.valid else f"{self.status}: {self.reasons[0]}"
        if found is None:
            why = self.absent.get("energy_per_unit_j")
            return f"no joules per {self.unit} ({why}), {state}"
        spread = "" if found.low is None else f" (95 %: {found.low:.4g} to {found.high:.4g})"
        return (
            f"{found.value:.4g} J per {self.unit}{spread}, n = {found.n}, {self.scope}, {self.kind}, {state}"
        )


class SavedSession(SchemaModel):
    """A session of pytest: the machine, and what each test measured."""

    schema_name: Literal["joulebench/pytest/1"] = Field("joulebench/pytest/1", alias="schema")
    created: str
    machine: Machine
    tests: dict[str, EnergyResult]
    """By node id."""

    def named_results(self) -> list[EnergyResult]:
        """The results in the order of the tests, each named after its test; older files have no names."""
        return [result.model_copy(update={"name": test}) for test, result in self.tests.items()]


class ComparedCommands(SchemaModel):
    """Two commands that `bench ab` measured in turns."""

    schema_name: Literal["joulebench/ab/1"] = Field("joulebench/ab/1", alias="schema")
    a: EnergyResult
    b: EnergyResult

    def results(self) -> list[EnergyResult]:
        """The result of A, then of B."""
        return [self.a, self.b]
