"""Figures of one test: its budget, its columns of the table, and those for pytest-benchmark's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from bench.core.energy_result import EnergyResult
from bench.core.secrets import masked
from bench.stats.figures import counting


@dataclass(frozen=True)
class MeasuredTest:
    """Measurement of one test, and the joules that a unit of its output may take."""

    test: str
    result: EnergyResult
    budget_j: float | None = None

    @property
    def budget(self) -> Literal["pass", "fail", "unclear"] | None:
        """Whether the 95 % interval is within the budget; `unclear` where it straddles it or is invalid."""
        found = self.result.energy_per_unit_j
        if self.budget_j is None:
            return None
        if not self.result.valid or found is None or found.low is None or found.high is None:
            return "unclear"
        if found.low > self.budget_j:
            return "fail"
        return "pass" if found.high <= self.budget_j else "unclear"

    def budget_sentence(self) -> str:
        """The measured joules beside the budget."""
        outcomes = {"pass": "within", "fail": "above", "unclear": "not distinguishable from"}
        outcome = outcomes[self.budget or "unclear"]
        return f"{self.result}: {outcome} the budget of {self.budget_j:.4g} J per {self.result.unit}."

    @property
    def round_j(self) -> float | None:
        """Joules of the middle round."""
        rounds = [block.joules(self.result.scope).gross_j for block in counting(self.result.blocks)]
        known = [joules for joules in rounds if joules is not None]
        return median(known) if known and len(known) == len(rounds) else None

    @property
    def round_s(self) -> float | None:
        """Seconds of the middle round."""
        lengths = [block.duration_s for block in counting(self.result.blocks)]
        return median(lengths) if lengths else None

    @property
    def power_w(self) -> float | None:
        """Mean power of the rounds."""
        scope = self.result.scope
        power = self.result.figures.power_w[scope].gross if scope else None
        return power.value if power else None

    def summary(self) -> dict[str, Any]:
        """The figures for pytest-benchmark's `extra_info`; what is not known is `None`: see `absent`."""
        result, found = self.result, self.result.energy_per_unit_j
        return {
            "unit": result.unit,
            "energy_per_unit_j": found and found.value,
            "low_j": found and found.low,
            "high_j": found and found.high,
            "net_per_unit_j": result.net_per_unit_j and result.net_per_unit_j.value,
            "round_j": self.round_j,
            "round_s": self.round_s,
            "power_w": self.power_w,
            "scope": result.scope,
            "kind": result.kind,
            "domains": _by_domain(result),
            "valid": result.valid,
            "reasons": [masked(reason) for reason in result.reasons],
            "absent": {name: masked(reason) for name, reason in result.absent.items()},
            "budget_j": self.budget_j,
        }


def _by_domain(result: EnergyResult) -> dict[str, dict[str, Any]]:
    """Each domain's kind and source, and its joules round by round."""
    blocks = [*counting(result.blocks), *result.blocks]  # kind and source are those of rounds that count
    first = {name: block.energy[name] for block in reversed(blocks) for name in block.energy}
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name for block in result.blocks for name in block.energy):
        readings = [block.energy[name] for block in result.blocks if name in block.energy]
        found[name] = {
            "kind": first[name].kind,
            "source": first[name].source,
            "rounds_j": [reading.gross_j for reading in readings],
        }
    return found
