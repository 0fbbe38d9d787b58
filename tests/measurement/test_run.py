"""`run(plan, context)` in a process that was started for it gives the record that the command line gives."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench.catalog.cases import Overrides, plan
from bench.catalog.loading import load
from bench.catalog.models import Measure
from bench.core.record import Record
from bench.machine.locks import holder
from bench.measurement.case_plan import CasePlan
from bench.store import results
from bench.worker.engine_spec import with_architecture
from scripts.faults.machine import Machine
from tests.measurement.spawned import measured
from tests.standin import StandIn
from tests.support.main_job import running
from tests.support.main_job.metered import GPU_VARIABLE, IDLE_W, WORK_VARIABLE

WORK_W, WORK_S = 300.0, 0.1
ARGUMENTS = (
    "run",
    "tiny-bloom",
    "--weights",
    "random",
    "--gpus",
    "0",
    "--device",
    "cpu",
    "--block-seconds",
    "1",
)
VOLATILE = {
    "created",
    "status",
    "reasons",
    "run_id",
    "start",
    "loading",
    "blocks",
    "idle",
    "figures",
    "ended",
    "trace",
    "provenance",
}
"""Fields of a record that hold what was measured and when; on a busy machine a block may be set aside."""
SOMETIMES = ("reasons[]", ".temperature_c", ".sm_clock_mhz", ".throttled_share")
"""Ends of keys that only some blocks have: reasons, and what the slow samples of a short block held."""


@pytest.fixture
def variables(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables of both processes: a stand-in's card, and work of known watts on it."""
    for gpu in (0, 1):
        standin.load(gpu, 0, IDLE_W)
    work = {WORK_VARIABLE: f"{WORK_W}:0:{WORK_S}:1", GPU_VARIABLE: "0"}
    chosen = standin.environment() | running.THREADS | work
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    return running.environment(chosen)


def keys(value: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of everything in a record; what a list holds, once."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from keys(item, f"{prefix}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from keys(item, f"{prefix}[]")
    else:
        yield prefix


@pytest.mark.slow
def test_another_process_measures_what_the_command_line_measures(
    standin: StandIn, variables: dict[str, str], tmp_path: Path
) -> None:
    """At the same time, since they mostly wait: each beside a stand-in and with locks of its own."""
    (item,) = plan(
        load(running.CATALOGUE),
        ["tiny-bloom"],
        Overrides(measure=Measure(block_seconds=1.0), weights="random"),
    )
    planned = type(item)(with_architecture(item.case), item.measure)
    command = (*ARGUMENTS, "--models", str(running.CATALOGUE), "--results", str(tmp_path / "cli"))
    ours = CasePlan((planned,), gpus="0", device="cpu", command=command)
    beside = StandIn(standin.library, tmp_path / "beside.control")
    for gpu in (0, 1):
        beside.load(gpu, 0, IDLE_W)
    apart = variables | beside.environment() | {"TMPDIR": str(tmp_path)}
    process = running.start(list(ARGUMENTS[1:]), tmp_path / "cli", apart)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        outcome, stages = pool.submit(measured, ours, tmp_path / "spawned").result(timeout=200)
    typed = running.finish(process, tmp_path / "cli")
    assert {typed.status, outcome.exit_status} <= {0, 3}, typed.err
    assert stages[:2] == ["loading", "warming up, round 1"]
    ((record, path),) = outcome.records
    assert path is not None
    assert results.read(path) == record
    (theirs,) = typed.records
    one, other = (each.model_dump(mode="json", by_alias=True) for each in (record, theirs))
    for field in one.keys() - VOLATILE - {"engine"}:
        assert one[field] == other[field], field
    assert one["engine"] | {"load_s": 0} == other["engine"] | {"load_s": 0}
    assert one["provenance"]["command"] == other["provenance"]["command"]
    differing = set(keys(one)) ^ set(keys(other))
    assert not {key for key in differing if not key.endswith(SOMETIMES)}
    assert_true(record, standin)
    assert_true(theirs, beside)
    beside.close()


def assert_true(record: Record, standin: StandIn) -> None:
    """The blocks that count hold the card's joules; those of the rests are taken out of them.

    Loading holds the card's joules, too, as well as its edges say.
    """
    assert record.loading is not None
    (loading,) = (energy for domain, energy in record.loading.energy.items() if domain.startswith("gpu:"))
    assert loading.edge_u_j is not None
    truth_j = standin.true_energy_j(0, record.loading.start_ns, record.loading.end_ns)
    assert loading.gross_j == pytest.approx(truth_j, abs=3 * loading.edge_u_j)
    assert loading.edge_u_j < 0.5 * truth_j
    assert record.loading.joules("host").gross_j is None
    assert "begins once the model is loaded" in str(record.loading.joules("host").reason)
    blocks = [block for block in record.blocks if not block.warmup and block.valid]
    assert len(blocks) >= 3
    for block in blocks:
        (energy,) = (energy for domain, energy in block.energy.items() if domain.startswith("gpu:"))
        assert energy.gross_j is not None
        truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
        assert energy.gross_j + (energy.rests_j or 0.0) == pytest.approx(truth_j, rel=0.03)


@pytest.mark.parametrize(("stage", "measured_blocks"), [("idle before", 0), ("measuring block 3", 2)])
def test_a_stop_that_is_asked_for_ends_a_run_as_an_interrupt_does(
    standin: StandIn, tmp_path: Path, stage: str, measured_blocks: int
) -> None:
    machine = Machine(standin, tmp_path)
    machine.on_stage(stage, machine.stop.set)
    with machine:
        ending = machine.run(cases=2)
    assert ending.status == 130
    assert ending.record is not None
    assert ending.record.reasons == ["The run was interrupted."]
    assert len(ending.measured) in (measured_blocks, measured_blocks + 1), "the block under way may end"
    assert len(list((tmp_path / "results").glob("*/*.json"))) == 1, "the second case does not begin"
    assert holder("the CPU") is None, "instruments are given back"
