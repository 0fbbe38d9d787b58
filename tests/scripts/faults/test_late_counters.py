"""Counters that publish late, through the whole procedure: worker with its rests, warm-up, blocks, budget."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.faults.machine import Machine
from tests.standin import StandIn

MS = 1_000_000


@pytest.fixture
def standin(standin_library: Path, tmp_path: Path) -> Iterator[StandIn]:
    made = StandIn(standin_library, tmp_path / "standin.control", gpu_count=2)
    yield made
    made.close()


@pytest.mark.parametrize("late_ms", [0, 50, 150, 250])
def test_a_counters_delay_is_found_in_the_warm_up_and_kept_through_all_blocks(
    late_ms: int, standin: StandIn, tmp_path: Path
) -> None:
    """The worker rests for up to 100 ms before its first batch, which is no delay of the counter.

    Warm-up rounds of half a second do not show a delay of 250 ms: blocks are set aside until it is known.
    """
    standin.change(0, counter_late_ns=late_ms * MS)
    with Machine(standin, tmp_path) as machine:
        ending = machine.run()
    valid = [block for block in ending.measured if block.valid]
    assert len(valid) >= 5
    assert len(valid) == len(ending.measured) or late_ms == 250
    for block in valid:
        ((domain, energy),) = ((name, e) for name, e in block.energy.items() if name.startswith("gpu:"))
        assert block.rest_s > 0
        true_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
        assert energy.with_rests_j == pytest.approx(true_j, rel=0.002)
        delay = block.observed.counter_delay[domain]
        assert delay.delay_s == pytest.approx(late_ms / 1000, abs=0.006)
        assert energy.rests_u_j is not None, "with the delay known, the rests are measured"
