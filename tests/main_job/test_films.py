"""A film beside the stand-in: its joules a second; a style picture that is none leaves its case out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standin import StandIn
from tests.support.main_job.metered import BUSY_W, IDLE_W
from tests.support.main_job.running import environment, run

ONE_TICK_J = 0.1 * (BUSY_W - IDLE_W) * 1.05
"""What a counter that moves every 100 ms can miss of one block that begins and ends at idle power."""
SECONDS = 9 / 24
"""Of one clip."""


@pytest.mark.slow
def test_a_film_has_joules_a_second_and_the_case_before_it_is_left_out_alone(
    standin: StandIn, tmp_path: Path
) -> None:
    standin.load(0, standin.now_ns(), IDLE_W)
    limits = ("--block-seconds", "1", "--max-seconds", "6")
    options = ("--device", "cpu", "--gpus", "0", *limits, "--save-outputs")
    done = run(["films", *options], tmp_path, environment(standin.environment()))
    assert done.status == 2, done.err
    said = " ".join(done.err.split())
    assert "Left out: tiny-adain " in said
    assert "The style picture models.yaml cannot be used: not a picture." in said
    (film,) = done.records
    assert (film.status, film.case.unit) == ("ok", "video_second"), film.why
    blocks = [block for block in film.blocks if not block.warmup]
    for block in blocks:
        assert block.units == pytest.approx(block.items * SECONDS)
        (domain,) = [name for name in block.energy if name.startswith("gpu:")]
        truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns) - IDLE_W * block.rest_s
        assert block.energy[domain].gross_j == pytest.approx(truth_j, abs=ONE_TICK_J)
        assert {"text_encoder", "denoise", "vae"} <= set(block.phases)
    headline = film.headline()
    assert headline is not None
    assert headline.value > 0
    kept = tmp_path.rglob("outputs/*/tiny-ltx*")
    assert {path.suffix for path in kept} in ({".mp4"}, {".png"})
