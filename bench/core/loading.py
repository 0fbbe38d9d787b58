"""Joules of bringing a model onto its devices: a figure of its own, in no joules per unit.

record.loading.joules("gpu").gross_j       # None with a reason where a domain has no reading
"""

from __future__ import annotations

from pydantic import Field

from bench.core.domain import by_scope
from bench.core.energy import DomainEnergy, EnergySum, energy_sum
from bench.core.model import Count, SchemaModel
from bench.core.scope import MeteredScope


class Loading(SchemaModel):
    """The window from the request to load a model to the answer that it is ready.

    Inside: starting the worker, importing libraries, a download of what is not in the cache, reading or
    drawing the weights, quantising and placing them. Outside: compiling, which the first batch does.
    """

    start_ns: Count
    end_ns: Count
    energy: dict[str, DomainEnergy] = Field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Length of the window in seconds."""
        return (self.end_ns - self.start_ns) / 1e9

    def joules(self, scope: MeteredScope) -> EnergySum:
        """Joules of all domains at a scope, without those of scopes that contain it."""
        return energy_sum(self.energy, by_scope(self.energy).get(scope, []))
