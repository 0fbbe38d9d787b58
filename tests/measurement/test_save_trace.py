"""The samples kept beside a record are the truth behind it, and no fault of theirs costs the record."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest

import bench.measurement.case_loading
from bench.cli import invoke
from bench.compare import trace_check
from bench.core.record import Record
from bench.errors import EngineError
from bench.measurement.save_trace import INTERRUPTED_MEANWHILE, NOT_LOADED, NOT_SAMPLED
from bench.meters import edges, sampling
from bench.meters.publishing_delay import Delay
from bench.meters.ticks import LOOK_BACK_S, seen_tick_s
from bench.store import results, traces
from bench.store.traces import Samples
from scripts.faults.machine import Ending, Machine
from tests.standin import Family, StandIn
from tests.support.metering import Recorded, fast_row


@pytest.fixture
def machine(standin: StandIn, tmp_path: Path) -> Machine:
    return Machine(standin, tmp_path)


def kept(ending: Ending, folder: Path) -> tuple[Path, Record]:
    """The record's file, and the record as it was stored."""
    (path,) = folder.glob("results/*/*.json")
    assert ending.record == results.read(path)
    return path, results.read(path)


def replayed(samples: Samples, folder: Path) -> Recorded:
    """A recorder that has seen just these samples of card 0."""
    recorded = Recorded(folder / "replayed.bin")
    t_ns, energy_j = samples.column("energy_j")
    recorded.write(*(fast_row(t, 0, e) for t, e in zip(t_ns.tolist(), energy_j.tolist(), strict=True)))
    return recorded


def test_the_estimator_finds_each_block_s_joules_again_in_the_trace_alone(
    machine: Machine, tmp_path: Path
) -> None:
    with machine:
        ending = machine.run()
    path, record = kept(ending, tmp_path)
    assert record.trace == f"traces/{path.stem}.parquet"
    trace = traces.read(path, record)
    assert trace is not None
    (domain,) = trace
    recorded = replayed(trace[domain], tmp_path)
    assert len(ending.measured) >= 5
    for block in ending.measured:
        tick_s = seen_tick_s(recorded, 0, block.start_ns - round(LOOK_BACK_S * 1e9), block.end_ns)
        assert tick_s is not None
        seen = edges.edge_curves(recorded, 0, block.start_ns, block.end_ns)
        assert seen is not None
        delay = block.observed.counter_delay[domain]
        found = edges.window_energy(seen, Delay(delay.delay_s or 0.0, delay.u_s or 0.0))
        energy = block.energy[domain]
        assert found is not None
        assert energy.gross_j is not None
        assert energy.edge_u_j is not None
        # The trace goes on for longer after the block than its estimate could wait.
        assert found.energy_j == pytest.approx(
            energy.gross_j + (energy.rests_j or 0.0), abs=2 * energy.edge_u_j
        )
        assert energy.edge_u_j < 0.002 * energy.gross_j
        allowed = trace_check.bounds(block, energy, trace[domain])
        assert allowed is not None
        assert allowed.high_j - allowed.low_j < 0.4 * found.energy_j, "a bound that allows all checks nothing"
    assert list(trace_check.problems(record, trace)) == []
    first_ns = min(block.start_ns for block in record.blocks)
    assert trace[domain].t_ns[-1] > max(block.end_ns for block in record.blocks) + 3e9, (
        "the last look at idle"
    )
    assert trace[domain].t_ns[0] < first_ns + 1e9
    rate_hz = len(trace[domain].column("energy_j")[0]) * 1e9 / float(trace[domain].t_ns.max() - first_ns)
    assert rate_hz == pytest.approx(sampling.FAST_HZ, rel=0.05), "nothing is thinned"
    assert trace[domain].column("memory_clock_mhz")[1].tolist().count(3201) > 20


def test_rapl_and_a_card_without_a_counter_are_borne_out_too(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.add_package()
    machine.standin.fail(Family.ENERGY, 3)
    with machine:
        ending = machine.run()
    path, record = kept(ending, tmp_path)
    trace = traces.read(path, record)
    assert trace is not None
    assert set(trace) == {name for name in record.blocks[0].energy if not name.endswith("estimate")}
    sources = {energy.source for energy in ending.measured[0].energy.values()}
    assert {"rapl", "power-integration-instant"} <= sources
    assert invoke(["validate", str(path)]) == 0
    assert "Traces: 1 bear out their record, 0 not beside it." in capsys.readouterr().out


def test_validate_tells_an_edited_block_a_broken_and_a_missing_trace(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with machine:
        ending = machine.run()
    path, record = kept(ending, tmp_path)
    assert record.trace is not None
    written, file = path.read_text(), path.parent / record.trace

    edited = json.loads(written)
    for block in edited["blocks"]:
        for energy in block["energy"].values():
            energy["gross_j"] = energy["gross_j"] and energy["gross_j"] / 2
    edited["figures"] = {}
    path.write_text(json.dumps(edited))
    assert invoke(["validate", str(path)]) == 2
    path.write_text(written)
    capsys.readouterr()

    halved = record.model_copy(deep=True)
    halved.blocks[-1].energy[next(iter(halved.blocks[-1].energy))].gross_j = 300.0
    trace = traces.read(path, record)
    assert trace is not None
    (said,) = trace_check.problems(halved, trace)
    assert re.match(rf"block {len(record.blocks) - 1} has 30\d(\.\d+)? J of gpu:", said), "with its rests"

    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert invoke(["validate", str(path)]) == 2
    assert "not a whole trace" in capsys.readouterr().err
    shorter = {
        name: Samples(name, each.t_ns[:200], {k: v[:200] for k, v in each.values.items()})
        for name, each in trace.items()
    }
    traces.write(file, shorter.values())
    assert invoke(["validate", str(path)]) == 2
    assert "does not cover gpu:" in capsys.readouterr().err
    file.unlink()
    assert invoke(["validate", str(path)]) == 0
    assert "Traces: 0 bear out their record, 1 not beside it." in capsys.readouterr().out


def test_a_full_disk_and_a_file_in_its_place_cost_the_trace_alone(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(traces, "replacing", full)
    with machine:
        ending = machine.run()
    _, record = kept(ending, tmp_path)
    assert (ending.status, record.status, record.trace) == (0, "ok", None)
    assert record.absent["trace"] == "it could not be written: No space left on device"


def test_a_run_that_ends_while_samples_are_written_has_its_record(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(traces, "write", killed)
    with machine:
        ending = machine.run()
    (path,) = tmp_path.glob("results/*/*.json")
    record = results.read(path)
    assert (ending.status, record.status, record.trace) == (130, "ok", None)
    assert record.absent["trace"] == INTERRUPTED_MEANWHILE


def test_what_has_no_samples_says_so(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise EngineError("No such model.", stage="load")

    with machine:
        unmetered = machine.run(gpus=None)
        monkeypatch.setattr(bench.measurement.case_loading, "_load", refuse)
        unloaded = machine.run()
    assert unmetered.record is not None
    assert unloaded.record is not None
    assert (unmetered.record.trace, unmetered.record.absent["trace"]) == (None, NOT_SAMPLED)
    assert (unloaded.record.trace, unloaded.record.absent["trace"]) == (None, NOT_LOADED)
    assert not list(tmp_path.glob("results/*/traces"))
