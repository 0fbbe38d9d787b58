"""Sound through `bench run`, beside a stand-in GPU of known power: joules, seconds, phases, files."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

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


LACKING = () if find_spec("torchsde") else ("needs-torchsde",)
"""A model whose package is missing, unless it is here."""

pytestmark = pytest.mark.slow


class Measured(NamedTuple):
    """One run of what lacks a package, and of a voice chain after it."""

    done: Done
    standin: StandIn

    @property
    def voice(self) -> Record:
        """The record of the voice chain."""
        (record,) = (record for record in self.done.records if record.case.model == "tiny-voice")
        return record


@pytest.fixture(scope="module")
def measured(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    folder = tmp_path_factory.mktemp("voice")
    standin = StandIn(standin_library, folder / "control")
    standin.load(0, standin.now_ns(), IDLE_W)
    limits = ["--block-seconds", str(BLOCK_S), "--max-seconds", "6"]
    options = ["--weights", "random", "--gpus", "0", "--device", "cpu", "--save-outputs", *limits]
    variables = environment(standin.environment(), temporary=folder / "tmp")
    yield Measured(run([*LACKING, "tiny-voice", *options], folder / "results", variables), standin)
    standin.close()


def test_a_voice_chain_has_joules_of_its_parts_and_seconds_made_and_heard(measured: Measured) -> None:
    record, standin, done = measured.voice, measured.standin, measured.done
    assert record.status == "ok", done.err
    assert done.status == (2 if LACKING else 0), done.err
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
    (folder,) = {path.parent for path in done.results.glob("*/*.json")}
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


@pytest.mark.skipif(not LACKING, reason="the package that is to be missing is here")
def test_what_one_model_lacks_stops_that_model_alone(measured: Measured) -> None:
    done = measured.done
    assert done.status == 2
    failed, ok = sorted(done.records, key=lambda record: record.status == "ok")
    assert (failed.case.model, failed.status) == ("needs-torchsde", "failed")
    assert failed.failure is not None
    assert "needs the package torchsde, which is not installed here." in failed.failure.message
    assert failed.failure.remedy == f"Install it with: {install_command('audio')}"
    assert (ok.case.model, ok.status) == ("tiny-voice", "ok")
    assert "Traceback" not in done.err
