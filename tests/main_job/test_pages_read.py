"""Embeddings through `bench run`, beside a stand-in GPU of known power: joules per page and token read."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from tests.standin import StandIn
from tests.support.main_job.metered import IDLE_W
from tests.support.main_job.running import environment, run


@pytest.mark.slow
def test_pages_that_are_read_have_joules_per_page_and_per_token(standin: StandIn, tmp_path: Path) -> None:
    standin.load(0, standin.now_ns(), IDLE_W)
    options = ["--weights", "random", "--gpus", "0", "--device", "cpu"]
    limits = ["--block-seconds", "1", "--max-seconds", "6"]
    done = run(["tiny-bert", *options, *limits], tmp_path, environment(standin.environment()))
    assert done.status == 0, done.err
    (record,) = done.records
    assert record.case.unit == "read_page"
    truths = []
    for block in (block for block in record.blocks if not block.warmup):
        assert block.observed.prompt_tokens == block.items * 340
        assert (block.tokens, block.words_kind, list(block.phases)) == (None, "assumed", ["encoder"])
        assert block.units == pytest.approx(block.items * 340 / 1.33 / 250)
        truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns) - IDLE_W * block.rest_s
        truths.append(truth_j / (block.items * 340))
    assert record.figures.tokens is not None
    read = record.figures.tokens.per_input_token_j["gpu"].gross
    assert read is not None
    assert read.value == pytest.approx(fmean(truths), rel=0.03)
    assert record.figures.energy_per_token_j == {}
    assert "read_page" in done.out
