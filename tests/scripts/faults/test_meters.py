"""Whatever the meters do, a run ends as a marked, explained record or a clear refusal, and never as 0 J."""

from __future__ import annotations

import itertools
from pathlib import Path

import pynvml
import pytest

from bench.meters.gpus import GpuDrivers
from scripts.faults.machine import BATCH_S, BUSY_W, IDLE_W, Machine, assert_honest
from scripts.faults.scene import MOMENTS, Scene, play
from scripts.faults.scenes import CODES, meter_scenes, nvml_scenes
from tests.standin import Family, StandIn


@pytest.fixture
def machine(standin: StandIn, tmp_path: Path) -> Machine:
    return Machine(standin, tmp_path)


def test_without_a_fault_nothing_is_said_and_the_joules_are_true(machine: Machine) -> None:
    with machine:
        ending = machine.run()
    assert_honest(ending, machine.standin)
    assert (ending.status, ending.outcome, ending.sentence) == (0, "ok", "")
    for block in ending.measured:
        joules = block.energy[f"gpu:{machine.standin.gpu(0).uuid.decode()}"].gross_j
        assert joules == pytest.approx(BUSY_W * block.work_s, rel=0.003)
        assert block.observed.batch_s is not None
        assert block.observed.batch_s.median == BATCH_S
        assert block.observed.batch_s.longest <= BATCH_S + 0.1, "a rest of at most 100 ms is in it"


@pytest.mark.parametrize("moment", MOMENTS)
def test_each_family_of_calls_may_fail_at_any_moment(
    standin_library: Path, tmp_path: Path, moment: str
) -> None:
    """Codes take turns; `scripts/bench-torture faults` plays every one with every family."""
    codes = itertools.cycle(CODES[MOMENTS.index(moment) * 8 :] + CODES)
    for family, code in zip(Family, codes, strict=False):
        (scene,) = (
            each for each in nvml_scenes([code], [moment]) if each.fault.startswith(f"{family.name} ")
        )
        folder = tmp_path / family.name
        folder.mkdir()
        play(scene, standin_library, folder)


@pytest.mark.parametrize("scene", list(meter_scenes()), ids=str)
def test_a_meter_that_misbehaves_is_told_of(scene: Scene, standin_library: Path, tmp_path: Path) -> None:
    play(scene, standin_library, tmp_path)


def test_no_error_of_any_call_gets_out_of_the_questions_asked(drivers: GpuDrivers, clocked: StandIn) -> None:
    gpu = drivers.gpus[0]
    for family, code in itertools.product(Family, CODES):
        clocked.fail(family, code)
        sample = gpu.sample()
        assert (sample.energy_j is None) == (sample.reason is not None) == (family is Family.ENERGY)
        state = gpu.identity()
        assert {name for name, value in state.as_mapping().items() if value is None} == set(state.absent)
        driver = gpu.versions()
        assert {name for name in ("driver", "cuda_driver") if getattr(driver, name) is None} == set(
            driver.absent
        )
        assert gpu.snapshot().memory_clock_mhz == (None if family is Family.CLOCKS else 3201)
        listed, reason = gpu.compute_processes()
        assert (listed is None) == (reason is not None)
        clocked.heal(family)


def test_of_two_cards_the_one_that_stays_keeps_its_joules(machine: Machine) -> None:
    with machine:
        machine.on_stage("measuring block 2", lambda: machine.standin.lose(1))
        ending = machine.run(gpus="0,1")
    assert ending.status == 3
    stayed, lost = (f"gpu:{machine.standin.gpu(i).uuid.decode()}" for i in (0, 1))
    for block in ending.measured[1:]:
        truth_j = machine.standin.true_energy_j(0, block.start_ns, block.end_ns)
        assert block.energy[stayed].with_rests_j == pytest.approx(truth_j, rel=0.005)
        assert (block.energy[lost].gross_j, block.energy[lost].reason) == (
            None,
            "the GPU is lost (fallen off the bus)",
        )
        assert not block.valid
    assert ending.record is not None
    assert ending.record.idle[lost].power_w == pytest.approx(IDLE_W, rel=0.05)
    assert "after" in ending.record.idle[lost].absent


def test_without_a_recorder_no_further_model_is_loaded(machine: Machine) -> None:
    with machine:
        machine.on_stage("idle before", machine.kill_recorder)
        machine.on_stage("loading", lambda: machine.on_stage("loading", pytest.fail))
        ending = machine.run(cases=2)
    assert ending.status == 1
    assert ending.record is not None
    assert ending.record.failure is not None
    assert ending.record.failure.message == "The recorder process has ended."


def test_a_pause_of_the_worker_sets_the_block_aside(machine: Machine) -> None:
    def pause() -> None:
        machine.clock.sleep(3.0)

    with machine:
        machine.on_stage("measuring block 2", lambda: machine.in_s(2.0, pause))
        ending = machine.run()
    aside = [block for block in ending.measured if not block.valid]
    assert [block.reasons[0].partition(":")[0] for block in aside] == ["paused"]
    assert_honest(ending, machine.standin)


def test_every_code_that_nvml_knows_takes_its_turn() -> None:
    assert len(CODES) >= 31
    assert {pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_UNKNOWN} <= set(CODES)
