"""What is said of a case after each of its blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog import loading
from bench.catalog.cases import Overrides, plan
from bench.core.energy import DomainEnergy
from bench.measurement.case_state import CaseState
from bench.measurement.procedure import done
from tests.support.factory import CPU, GPU, RAM, block, energy

CATALOGUE = Path(__file__).parents[1] / "support" / "main_job" / "catalogue.yaml"


@pytest.mark.parametrize(
    ("energies", "power_w"),
    [
        ({GPU: energy(9000.0), CPU: energy(1500.0)}, 300.0),
        ({CPU: energy(1500.0), RAM: energy(600.0)}, 70.0),
        ({CPU: energy(1500.0), RAM: energy(600.0), "wall:rack": energy(3000.0)}, 70.0),
        ({"wall:rack": energy(3000.0)}, 100.0),
        ({GPU: energy(None, reason="lost"), CPU: energy(1500.0)}, None),
        ({CPU: energy(1500.0), RAM: energy(None, reason="unread")}, None),
    ],
)
def test_power_is_that_of_the_innermost_scope_whole_or_not_at_all(
    energies: dict[str, DomainEnergy], power_w: float | None
) -> None:
    """A part is never taken for the whole, and what a socket delivers is not added to what it feeds."""
    catalogue = loading.load(CATALOGUE)
    (planned,) = plan(catalogue, ["tiny-bloom"], Overrides())
    state = CaseState(planned.case, blocks=[block(energies=energies)])
    said = done(state, 5, None)
    assert said.power_w == (None if power_w is None else pytest.approx(power_w))
    assert (said.number, said.unit) == (1, "page")
