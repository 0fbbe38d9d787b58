"""A node whose calendar is 40 s behind: its records carry its own time, and none is lost or taken for old."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.compare.record_key import by_case_and_place
from bench.compare.record_selection import folder
from bench.fleet.node import MeasuredFiles, NodeFacts, write
from bench.store import results
from scripts.faults.processes import Clock
from tests.standin import StandIn
from tests.support.main_job.metered import IDLE_W, WORK_VARIABLE
from tests.support.main_job.running import environment
from tests.support.processes import ROOT

BEHIND_S = 40


def sent_by(
    name: str, standin: StandIn, folder: Path, extra: Mapping[str, str]
) -> tuple[NodeFacts, MeasuredFiles]:
    """What a node sends that measures beside its own stand-in."""
    work = {WORK_VARIABLE: "200:0:0.5:1", "PYTHONPATH": str(ROOT)}
    variables = environment(standin.environment(), temporary=folder / name) | work | dict(extra)
    command = [
        sys.executable,
        "-m",
        "tests.fleet.one_node",
        str(folder / name / "results"),
        str(folder / f"{name}.sent"),
    ]
    subprocess.run(command, env=variables, cwd=ROOT, check=True, timeout=200)
    found = pickle.loads((folder / f"{name}.sent").read_bytes())
    assert isinstance(found, tuple)
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_node_with_a_wrong_clock_keeps_its_own_times_and_is_measured_once(
    standin_library: Path, tmp_path: Path
) -> None:
    clock = Clock(tmp_path)
    clock.step(-BEHIND_S)
    skews = {"right": {}, "behind": clock.environment}
    for name, skew in skews.items():
        standin = StandIn(standin_library, tmp_path / f"{name}.control")
        standin.change(0, name=f"NVIDIA {name}".encode())
        standin.load(0, 0, IDLE_W)
        begun = datetime.now(UTC)
        _, sent = sent_by(name, standin, tmp_path, skew)
        (path,) = write(tmp_path / "here", sent)
        record = results.read(path)
        counted = [block for block in record.blocks if block.valid and not block.warmup]
        assert counted, record.why
        drawn_j = sum(standin.true_energy_j(0, block.start_ns, block.end_ns) for block in counted)
        (domain,) = [each for each in counted[0].energy if each.startswith("gpu:")]
        assert sum(block.energy[domain].with_rests_j or 0.0 for block in counted) == pytest.approx(
            drawn_j, rel=0.01
        )
        behind = timedelta(seconds=BEHIND_S if skew else 0)
        created = datetime.fromisoformat(record.created) + behind
        assert begun - timedelta(seconds=1) <= created <= datetime.now(UTC), "by its own clock"
        if name == "behind":
            facts, again = sent_by(name, standin, tmp_path, skew)
            assert facts.measured == {0}, "resumed by identity, not by time"
            assert again.files == sent.files
        standin.close()
    kept = folder(tmp_path / "here", lambda text: None).newest(by_case_and_place)
    assert len(kept.found) == 2, kept.notes
