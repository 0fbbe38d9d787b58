"""A model of BLOOM's architecture that is metered on eight cards of unlike power, in a machine of ten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest

from bench.view import terminal
from bench.view.record import sections
from tests.standin import StandIn, uuid_of
from tests.support.main_job.metered import IDLE_W
from tests.support.main_job.running import environment, run

BLOCK_S = 3
CARDS = [9, 0, 1, 3, 4, 5, 7, 8]
"""Not the first eight, and not in their order."""
NEIGHBOURS = [2, 6]
BUSY_W = {gpu: 150.0 + 30.0 * gpu for gpu in CARDS}
NEIGHBOUR_W = 55.0
ONE_TICK_J = sum(0.1 * (watts - IDLE_W) * 1.05 for watts in BUSY_W.values())
"""What counters that move every 100 ms can miss of one block that begins and ends at idle power."""


@pytest.fixture
def ten_cards(standin_library: Path, tmp_path: Path) -> Iterator[StandIn]:
    standin = StandIn(standin_library, tmp_path / "ten.control", gpu_count=10)
    for gpu in range(10):
        standin.load(gpu, standin.now_ns(), NEIGHBOUR_W if gpu in NEIGHBOURS else IDLE_W)
    yield standin
    standin.close()


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_its_joules_are_those_of_exactly_its_eight_cards(ten_cards: StandIn, tmp_path: Path) -> None:
    named = ",".join(map(str, CARDS))
    asked = ["tiny-bloom", "--weights", "random", "--device", "cpu", "--gpus", named, "--target", "95%"]
    limits = ["--block-seconds", str(BLOCK_S), "--max-seconds", "5"]
    done = run([*asked, *limits], tmp_path / "results", environment(ten_cards.environment(), cards=BUSY_W))
    assert done.status == 0, done.err
    (record,) = done.records
    uuids = [uuid_of(gpu) for gpu in CARDS]
    assert record.machine.metered == uuids
    assert len(record.machine.gpus) == 10
    truths = []
    for block in (block for block in record.blocks if not block.warmup):
        cards = [name for name in block.energy if name.startswith("gpu:")]
        assert sorted(cards) == sorted(f"gpu:{uuid}" for uuid in uuids)
        drawn_j = sum(ten_cards.true_energy_j(gpu, block.start_ns, block.end_ns) for gpu in CARDS)
        true_j = drawn_j - len(CARDS) * IDLE_W * block.rest_s
        assert block.joules("gpu").gross_j == pytest.approx(true_j, abs=ONE_TICK_J)
        assert block.valid, block.reasons
        assert block.units
        assert sorted(block.observed.neighbours) == sorted(uuid_of(gpu) for gpu in NEIGHBOURS)
        truths.append(true_j / block.units)
    headline = record.headline()
    assert headline is not None
    print(f"{record.label}: {headline.value:.3f} J, truth {fmean(truths):.3f} J")
    assert headline.value == pytest.approx(fmean(truths), rel=0.01)
    found = record.figures.neighbours
    assert found is not None
    assert found.power_w is not None
    assert found.power_w.value == pytest.approx(2 * NEIGHBOUR_W, rel=0.01)
    assert "2 idle neighbours: 110 W, not in the sum" in terminal.text(sections(record))
