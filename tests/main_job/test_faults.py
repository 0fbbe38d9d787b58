"""What can go wrong in a run: one clear sentence, the right exit status, and nothing measured is lost."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.cli import invoke
from bench.core.block import Block
from bench.store import results as store
from tests.standin import StandIn
from tests.support.main_job.metered import IDLE_W
from tests.support.main_job.running import CATALOGUE, Done, environment, finish, run, start
from tests.support.processes import wait_until

TEXT = ["tiny-bloom", "--device", "cpu"]
METERED = ["--gpus", "0", "--block-seconds", "2"]
"""Blocks long enough for ten ticks of the stand-in's counter."""


Typed = Callable[..., Done]


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """A function that does in this process what `bench run` does before it measures: 1.2 s less a command."""

    def run_here(*arguments: str, results: Path = tmp_path, models: Path = CATALOGUE) -> Done:
        status = invoke(["run", *arguments, "--models", str(models), "--results", str(results)])
        return Done(status, *capsys.readouterr(), results)

    return run_here


def partials(results: Path) -> list[Path]:
    return list(results.glob("*/.partial/*.json"))


def test_out_of_memory_halves_the_batch_once_and_says_so(tmp_path: Path) -> None:
    done = run([*TEXT, "--batch", "4"], tmp_path, environment(fault="oom-above:2", pretend=True))
    (record,) = done.records
    assert done.status == 0, done.err
    assert record.status == "ok"
    assert record.case.batch == 2
    assert record.requested is not None
    assert record.requested.batch == 4
    assert "Out of memory with batch 4; trying 2." in done.err


def test_half_a_batch_that_is_a_point_of_the_sweep_is_measured_once(tmp_path: Path) -> None:
    swept = [*TEXT, "--sweep", "batch=1,2,4,16", "--yes"]
    done = run(swept, tmp_path, environment(fault="oom-above:2", pretend=True))
    by_batch = {record.case.batch: record for record in done.records if record.status == "ok"}
    assert sorted(by_batch) == [1, 2], "and 8, which is no point, is tried for 16"
    assert by_batch[2].requested is None
    assert len([record for record in done.records if record.case.batch == 2]) == 1
    (said,) = {line for line in done.err.splitlines() if "Left out: " in line}
    assert " batch 4 " in said
    assert said.endswith(": out of memory; batch 2 is measured as its own case.")
    (failed,) = (record for record in done.records if record.status == "failed")
    assert failed.requested is not None
    assert failed.requested.batch == 16
    assert done.status == 1


def test_a_point_that_is_left_out_for_memory_is_no_failure(tmp_path: Path) -> None:
    swept = [*TEXT, "--sweep", "batch=2,4", "--yes"]
    done = run(swept, tmp_path, environment(fault="oom-above:2", pretend=True))
    assert [record.case.batch for record in done.records] == [2]
    assert done.status == 0, done.err
    assert done.err.count("Left out: ") == 2, "when it happens and at the end"


def test_out_of_memory_twice_is_a_failed_record(tmp_path: Path) -> None:
    done = run([*TEXT, "--batch", "4"], tmp_path, environment(fault="oom-above:1", pretend=True))
    (record,) = done.records
    assert done.status == 1
    assert record.status == "failed"
    assert record.failure is not None
    assert record.failure.out_of_memory is True
    assert "Traceback" not in done.err + done.out


def test_a_killed_worker_fails_its_case_keeps_its_blocks_and_lets_the_rest_go_on(tmp_path: Path) -> None:
    done = run(["smoke", "--device", "cpu"], tmp_path, environment(fault="kill-at:20", pretend=True))
    assert done.status == 1, done.err
    failed, *others = sorted(done.records, key=lambda record: record.status != "failed")
    assert failed.failure is not None
    assert failed.failure.stage == "killed"
    assert "SIGKILL" in failed.reasons[0]
    assert failed.blocks
    assert "Traceback" not in done.err + done.out
    assert len(others) == 1


def test_spoilt_output_is_an_invalid_record_and_status_3(tmp_path: Path) -> None:
    variables = environment(fault="nan-at:1", pretend=True)
    done = run(["tiny-stable-diffusion", "--device", "cpu"], tmp_path, variables)
    (record,) = done.records
    assert done.status == 3, done.err
    assert record.status == "invalid"
    assert record.headline() is None
    assert "NaN" in " ".join(record.reasons)
    assert "NaN" in done.out


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130_and_keeps_what_is_complete(
    tmp_path: Path, signal_number: signal.Signals
) -> None:
    process = start(["smoke", "--device", "cpu"], tmp_path, environment(fault="slow:0.01", pretend=True))
    assert wait_until(lambda: list(tmp_path.glob("*/*.json")) and partials(tmp_path), 60)
    os.killpg(process.pid, signal_number)  # as a terminal does: everybody gets it
    done = finish(process, tmp_path)
    assert done.status == 130, done.err
    first, second = sorted(done.records, key=lambda record: record.created)
    assert first.status == "ok"
    assert second.status == "failed"
    assert second.ended is not None
    assert second.ended.by == "interrupt"
    assert second.blocks
    assert "Traceback" not in done.err + done.out
    assert not partials(tmp_path)


def test_what_a_killed_run_had_measured_is_found_by_the_next(tmp_path: Path) -> None:
    process = start(TEXT, tmp_path, environment(pretend=True))
    assert wait_until(lambda: partials(tmp_path), 60)
    process.kill()
    process.communicate()
    done = run(TEXT, tmp_path, environment(pretend=True))
    assert done.status == 0, done.err
    assert "An earlier run was killed" in done.err
    killed, whole = sorted(done.records, key=lambda record: record.status)
    assert killed.status == "failed"
    assert any(not block.warmup for block in killed.blocks)
    assert whole.status == "ok"


def test_a_case_killed_after_its_last_block_is_not_measured_again(tmp_path: Path) -> None:
    first = run([*TEXT, "--resume"], tmp_path, environment(pretend=True))
    (path,), (whole,) = tmp_path.glob("*/*.json"), first.records
    path.rename(path.parent / ".partial" / path.name)  # as if the run had died before it wrote its record
    again = run([*TEXT, "--resume"], tmp_path, environment(pretend=True))
    assert again.status == 0, again.err
    assert "An earlier run was killed" in again.err
    assert "1 of 1 cases were measured already" in again.err
    (record,) = again.records
    assert record.blocks == whole.blocks


def test_a_second_run_beside_the_first_is_refused_wherever_it_writes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    first = start(TEXT, one, environment(pretend=True))
    assert wait_until(lambda: list(one.glob("*/.lock")), 60)
    for results in (one, other):
        second = run(TEXT, results, environment(pretend=True))
        assert second.status == 2
        assert second.err.count("\n") == 1
        command = f"python -m tests.support.main_job.metered run {' '.join(TEXT)} "
        assert f"Process {first.pid} (`{command}" in second.err
        assert f"into {one}) is measuring on the CPU." in second.err
        assert not second.records
    assert finish(first, one).status == 0


def test_where_no_lock_can_be_had_a_run_says_so_and_measures(tmp_path: Path) -> None:
    (Path(os.environ["TMPDIR"]) / "joulebench-locks").write_text("not a folder")
    done = run(TEXT, tmp_path, environment(pretend=True))
    assert done.status == 0, done.err
    assert (
        "A second measurement on the CPU at the same time would not be noticed: Not a directory." in done.err
    )


def test_the_hub_out_of_reach_is_status_2_with_both_ways_out(tmp_path: Path) -> None:
    variables = environment() | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "empty")}
    done = run(["on-the-hub", "--device", "cpu"], tmp_path / "results", variables)
    assert done.status == 2, done.err
    shown = " ".join(done.out.split())
    assert "--weights random" in shown
    assert "Unset HF_HUB_OFFLINE" in shown
    (record,) = done.records
    assert record.failure is not None
    assert record.failure.stage == "load"


@pytest.mark.slow
def test_what_befalls_a_metered_card_spoils_its_blocks_and_makes_up_no_figure(
    standin_library: Path, tmp_path: Path
) -> None:
    """Two runs at once, since they mostly wait."""

    def befallen(name: str, act: Callable[[StandIn], None]) -> list[Block]:
        standin, results = StandIn(standin_library, tmp_path / name), tmp_path / f"{name}-results"
        standin.load(0, standin.now_ns(), IDLE_W)
        variables = environment(standin.environment(), pretend=True, temporary=tmp_path / f"{name}-tmp")
        process = start([*TEXT, *METERED], results, variables)
        assert wait_until(lambda: partials(results), 60)
        act(standin)
        done = finish(process, results)
        standin.close()
        assert done.status == 3, done.err
        (record,) = done.records
        assert record.status == "invalid"
        return [block for block in record.blocks if not (block.valid or block.warmup)]

    with ThreadPoolExecutor() as pool:
        lost = pool.submit(befallen, "lost", lambda standin: standin.lose(0))
        foreign = pool.submit(
            befallen, "foreign", lambda standin: standin.set_processes(0, compute={4242: 10**9})
        )
    assert lost.result()
    for block in lost.result():
        energy = next(energy for name, energy in block.energy.items() if name.startswith("gpu:"))
        assert energy.gross_j is None
        assert "lost" in (energy.reason or "")
    assert foreign.result()
    assert all("4242" in block.reasons[0] for block in foreign.result())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tiny-blom"], 'Unknown suite or model "tiny-blom". Did you mean "tiny-bloom"?'),
        (["too-large"], "does not fit"),
        (["tiny-bloom", "--steps", "3"], "--steps means nothing here"),
        (["tiny-bloom", "--gpus", "7"], '--gpus: "7" '),
        (["tiny-bloom", "--gpus", "MIG-1"], "which has no energy counter of its own"),
        (["tiny-bloom", "--device", "cuda"], "no NVIDIA GPU can be used"),
        (["tiny-bloom", "--grid", "XXX"], 'No grid factor is known for "XXX"'),
        (["tiny-bloom", "--attention", "sdpaa"], 'Did you mean "sdpa"?'),
        (["tiny-bloom", "--weights", "hub"], "has no weights on a hub"),
        (["tiny-bloom", "--allow-remote-code", "nobody"], 'Unknown model "nobody"'),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(
    typed: Typed, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = typed(*arguments)
    assert done.status == 2
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.glob("*/*.json"))


def test_a_case_of_a_suite_that_does_not_fit_is_left_out_and_said_so(typed: Typed) -> None:
    done = typed("both", "--device", "cpu", "--dry-run")
    assert done.status == 0
    assert "Left out: too-large" in done.err
    assert "tiny-bloom" in done.out


def test_a_results_folder_that_is_a_file_is_status_2(typed: Typed, tmp_path: Path) -> None:
    blocked = tmp_path / "results"
    blocked.write_text("not a folder")
    done = typed(*TEXT, results=blocked)
    assert done.status == 2
    assert "Traceback" not in done.err


def test_the_smallest_disk_that_refuses_records_loses_none(tmp_path: Path) -> None:
    """A 60 MB file system, filled while the run measures: the record is saved elsewhere, and said where."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        process = start(TEXT, disk, environment(pretend=True))
        assert wait_until(lambda: partials(disk), 60)
        subprocess.run(["dd", "if=/dev/zero", f"of={disk}/filler"], capture_output=True, check=False)
        done = finish(process, disk)
        assert done.status == 2, done.err
        assert "was saved as" in done.err
        saved = Path(done.err.split("was saved as ")[1].split(" instead")[0])
        assert store.read(saved).headline() is not None
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_broken_catalogue_is_status_2_with_its_line(typed: Typed, tmp_path: Path) -> None:
    broken = tmp_path / "models.yaml"
    broken.write_text(
        CATALOGUE.read_text().replace("batch: 1, seed: 0, new_tokens", "bacth: 1, seed: 0, new_tokens")
    )
    done = typed(*TEXT, models=broken)
    assert done.status == 2
    assert f"{broken}:5: defaults.text.bacth: unknown key" in done.err
    assert 'Did you mean "batch"?' in done.err
