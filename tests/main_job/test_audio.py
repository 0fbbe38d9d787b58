"""Sound through `bench run`, beside a stand-in GPU of known power: joules, seconds, phases, files."""

from __future__ import annotations

import wave
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

import pytest

from bench.core.record import Record
from bench.dependencies import install_command
from bench.view.blocks import described
from tests.standin import StandIn
from tests.support.main_job.metered import BUSY_W, IDLE_W
from tests.support.main_job.running import Done, environment, run

BLOCK_S, HEARD_S, MADE_S = 1, 2, 4
ONE_TICK_J = 0.1 * (BUSY_W - IDLE_W) * 1.05
"""What a counter that moves every 100 ms can miss of one block that begins and ends at idle power."""


def measured(models: list[str], standin: StandIn, folder: Path) -> Done:
    standin.load(0, standin.now_ns(), IDLE_W)
    limits = ["--block-seconds", str(BLOCK_S), "--max-seconds", "6"]
    options = ["--weights", "random", "--gpus", "0", "--device", "cpu", "--save-outputs", *limits]
    return run([*models, *options], folder, environment(standin.environment()))


@pytest.mark.slow
def test_a_voice_chain_has_joules_of_its_parts_and_seconds_made_and_heard(
    standin: StandIn, tmp_path: Path
) -> None:
    done = measured(["tiny-voice"], standin, tmp_path)
    assert done.status == 0, done.err
    (record,) = done.records
    assert record.case.unit == "audio_second"
    for block in (block for block in record.blocks if not block.warmup):
        assert block.units == pytest.approx(block.items * MADE_S, rel=0.01)
        assert block.observed.heard_seconds == block.items * HEARD_S
        assert block.tokens == block.items * 24
        assert list(block.phases) == ["recognition", "text", "speech"]
        phases_s = sum(phase.seconds for phase in block.phases.values())
        assert 0.6 * block.work_s < phases_s <= block.work_s
        truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns) - IDLE_W * block.rest_s
        assert block.joules("gpu").gross_j == pytest.approx(truth_j, abs=ONE_TICK_J)
    near_the_truth(record, standin)
    clip = next(path for path in record.outputs if path.endswith("-000-0.wav"))
    (folder,) = {path.parent for path in tmp_path.glob("*/*.json")}
    # Files count blocks as the table of blocks does, warm-ups among them.
    kept = {int(name.partition("-block")[2].partition("-")[0]) for name in record.outputs}
    assert kept == {each["number"] for each in described(record) if each["role"] != "warm-up"}
    # Tokens are those of the part that writes: joules of the whole chain over them would be no figure.
    assert record.figures.energy_per_token_j == {}
    assert record.figures.tokens is None or set(record.figures.tokens.per_token_of_phase_j) == {"text"}
    with wave.open(str(folder / clip)) as file:
        assert file.getnframes() / file.getframerate() == pytest.approx(MADE_S, rel=0.01)
    assert "audio_second" in done.out


def near_the_truth(record: Record, standin: StandIn) -> None:
    """Joules per second made within 3 % of the truth, over blocks of one second."""
    truths = [
        (standin.true_energy_j(0, block.start_ns, block.end_ns) - IDLE_W * block.rest_s) / block.units
        for block in record.blocks
        if not block.warmup and block.units
    ]
    headline = record.headline()
    assert headline is not None
    assert headline.value == pytest.approx(fmean(truths), rel=0.03)


@pytest.mark.skipif(find_spec("torchsde") is not None, reason="the package that is to be missing is here")
@pytest.mark.slow
def test_what_one_model_lacks_stops_that_model_alone(standin: StandIn, tmp_path: Path) -> None:
    done = measured(["needs-torchsde", "tiny-vits"], standin, tmp_path)
    assert done.status == 2
    failed, ok = sorted(done.records, key=lambda record: record.status == "ok")
    assert (failed.case.model, failed.status) == ("needs-torchsde", "failed")
    assert failed.failure is not None
    assert "needs the package torchsde, which is not installed here." in failed.failure.message
    assert failed.failure.remedy == f"Install it with: {install_command('audio')}"
    assert (ok.case.model, ok.status) == ("tiny-vits", "ok")
    assert "Traceback" not in done.err
