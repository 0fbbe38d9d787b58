"""The main job against a known truth: joules per page and per image within 1 %, with blocks of three seconds.

Both cases run at once, each on a stand-in GPU of its own, and the other GPU's joules must not be counted.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from bench.core.record import Record
from tests.standin import StandIn
from tests.support.main_job.metered import BUSY_W, IDLE_W
from tests.support.main_job.running import environment, finish, start

BLOCK_S = 3
ONE_TICK_J = 0.1 * (BUSY_W - IDLE_W) * 1.05
"""What a counter that moves every 100 ms can miss of one block that begins and ends at idle power."""


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_joules_per_page_and_per_image_are_within_one_percent_of_the_truth(
    standin: StandIn, tmp_path: Path
) -> None:
    for gpu in (0, 1):
        standin.load(gpu, standin.now_ns(), IDLE_W)
    options = [
        "--device",
        "cpu",
        "--block-seconds",
        str(BLOCK_S),
        "--max-seconds",
        "30",
        "--target",
        "95%",
    ]
    models = {"tiny-bloom": 0, "tiny-stable-diffusion": 1}
    started = [
        start(
            [model, "--weights", "random", "--gpus", str(gpu), *options],
            tmp_path / model,
            environment(standin.environment(), gpu=gpu, temporary=tmp_path / "tmp" / model),
        )
        for model, gpu in models.items()
    ]
    for process, (model, gpu) in zip(started, models.items(), strict=True):
        done = finish(process, tmp_path / model)
        assert done.status == 0, done.err
        (record,) = done.records
        check(record, standin, gpu)


def check(record: Record, standin: StandIn, gpu: int) -> None:
    """Block by block and for the headline, the record's joules are the truth's."""
    assert record.figures.headline_scope == "gpu"
    truths = []
    for block in (block for block in record.blocks if not block.warmup):
        (domain,) = [name for name in block.energy if name.startswith("gpu:")]
        assert domain.endswith(f"{gpu}"), "only the metered card is counted"
        truth_j = standin.true_energy_j(gpu, block.start_ns, block.end_ns) - IDLE_W * block.rest_s
        found_j = block.energy[domain].gross_j
        assert block.duration_s >= BLOCK_S
        assert block.valid, block.reasons
        assert found_j == pytest.approx(truth_j, abs=ONE_TICK_J)
        assert block.units
        truths.append(truth_j / block.units)
    assert len(truths) >= 5
    headline = record.headline()
    assert headline is not None
    error = headline.value / fmean(truths) - 1
    print(f"{record.label}: {headline.value:.3f} J, truth {fmean(truths):.3f} J, error {error:+.3%}")
    assert abs(error) < 0.01
    budgets = record.figures.uncertainty
    assert budgets is not None
    assert budgets.gross is not None
    assert budgets.gross.same_card is not None
    assert budgets.gross.same_card.low <= fmean(truths) <= budgets.gross.same_card.high
    edges = [line for line in budgets.gross.inputs if line.name == "edges"]
    assert len(edges) == 1, "the blocks state what their edges leave"
    assert not [line for line in budgets.gross.inputs if line.name.startswith("counter lag")]
    idle = next(idle for name, idle in record.idle.items() if name.startswith("gpu:"))
    assert idle.power_w == pytest.approx(IDLE_W, rel=0.05)
    (host,) = [figure for name, figure in record.figures.energy_per_unit_j.items() if name == "host"]
    assert host.kind == "mixed", "the host's CPU and memory are estimates and say so"
