"""The one sum of joules: whole or absent with its reason, never a part, never twice."""

from __future__ import annotations

import pytest

from bench.core.energy import combined_kind, complete_sum, energy_sum
from bench.core.scope import MeteredScope
from tests.support.factory import CPU, GPU, RAM, block, energy

WALL = "wall:desk"


def test_a_block_adds_up_the_domains_of_a_scope_and_no_scope_within_another() -> None:
    read = {
        GPU: energy(200.0, 140.0),
        CPU: energy(30.0, 20.0),
        RAM: energy(5.0, 4.0, "estimated"),
        WALL: energy(400.0),
    }
    found = block(energies=read)
    assert found.scope == "gpu"
    assert found.joules("gpu") == (200.0, 140.0, "measured", None)
    assert found.joules("host") == (235.0, 164.0, "mixed", None)
    assert found.joules("wall") == (400.0, None, "measured", "idle power is not known for every domain")


def test_a_missing_reading_leaves_no_sum_of_the_rest() -> None:
    found = block(energies={GPU: energy(200.0), CPU: energy(None, reason="it is lost")})
    assert found.joules("gpu").gross_j == 200.0
    assert found.joules("host") == (None, None, "measured", f"{CPU}: it is lost")


def test_a_domain_that_the_block_lacks_leaves_no_sum() -> None:
    found = block(energies={GPU: energy(200.0)})
    assert energy_sum(found.energy, [GPU, CPU])[::3] == (None, f"{CPU}: no reading")


@pytest.mark.parametrize("scope", ["host", "wall", None])
def test_a_scope_without_domains_has_no_joules_and_not_zero(scope: MeteredScope | None) -> None:
    found = block(energies={GPU: energy(200.0)}).joules(scope)
    assert (found.gross_j, found.net_j, found.reason) == (None, None, "no domain was metered")


@pytest.mark.parametrize(
    ("values", "total"),
    [((), None), ((None,), None), ((1.0, None), None), ((0.0,), 0.0), ((1.0, 2.5), 3.5)],
)
def test_a_sum_is_whole_or_absent(values: tuple[float | None, ...], total: float | None) -> None:
    assert complete_sum(values) == total


def test_a_kind_is_that_of_all_parts_or_mixed() -> None:
    assert combined_kind(["measured", "measured"]) == "measured"
    assert combined_kind(["estimated"]) == "estimated"
    assert combined_kind(["measured", "estimated"]) == "mixed"
