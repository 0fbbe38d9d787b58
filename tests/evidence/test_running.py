"""Parts one after the other: what fits, what failed, what an interrupt leaves."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from bench.errors import RecordError, UsageError
from bench.records import store
from tests.evidence import packing, running, state
from tests.evidence.parts import Part
from tests.evidence.running import Machine
from tests.meters.helpers import ROOT, wait_until
from tests.records.factory import case, record

NO_EXTRAS = Machine()


def part(name: str, status: int = 0, seconds: float = 0.0, expected_s: float = 0.1, **more: bool) -> Part:
    arguments = (str(status), str(seconds))
    return Part(name, "a test", expected_s, "tests.evidence.obedient", arguments, f"{name}.json", **more)


def test_each_part_is_done_once_and_its_answer_kept(tmp_path: Path) -> None:
    parts = (part("good"), part("wide", 3), part("long", expected_s=1000))
    said = io.StringIO()
    assert running.run(parts, tmp_path, NO_EXTRAS, 60, said) == 0
    assert json.loads((tmp_path / "good.json").read_text()) == {"said": "so"}
    assert {name: each.status for name, each in state.load(tmp_path).parts.items()} == {
        "good": "done",
        "wide": "inconclusive",
    }
    assert "1 part is left, about 16 min 40 s, did not fit into the time left" in said.getvalue()
    before = (tmp_path / state.FILE).read_text()
    assert running.run(parts, tmp_path, NO_EXTRAS, 60, io.StringIO()) == 0
    assert (tmp_path / state.FILE).read_text() == before


def test_a_part_that_fails_is_told_tried_again_and_given_up(tmp_path: Path) -> None:
    parts = (part("bad", 1), part("good"))
    for tries in (1, 2, 3, 3):
        said = io.StringIO()
        assert running.run(parts, tmp_path, NO_EXTRAS, 60, said) == 1
        assert state.load(tmp_path).parts["bad"].tries == tries
        assert ("told to end with 1" in said.getvalue()) == ("bad: a test" in said.getvalue())
    assert state.load(tmp_path).parts["good"].status == "done"


def test_nothing_follows_a_vital_part_that_failed(tmp_path: Path) -> None:
    parts = (part("doctor", 2, vital=True), part("good"))
    assert running.run(parts, tmp_path, NO_EXTRAS, 60, io.StringIO()) == 1
    assert set(state.load(tmp_path).parts) == {"doctor"}


def test_a_part_that_overruns_is_interrupted_and_known_to_be_longer(tmp_path: Path) -> None:
    slow = part("slow", seconds=60)
    assert running.run([slow], tmp_path, NO_EXTRAS, 1.0, io.StringIO()) == 0
    tried = state.load(tmp_path).parts["slow"]
    assert tried.status == "interrupted"
    assert state.load(tmp_path).expected_s(slow) >= 1
    assert not (tmp_path / "slow.json").exists()


def test_a_damaged_state_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / state.FILE).write_text('{"schema": "joulebench/evi')
    with pytest.raises(RecordError, match=r"is no state of gpu-evidence: .* Remove it to begin anew"):
        running.run([part("good")], tmp_path, NO_EXTRAS, 60, io.StringIO())


def test_a_rehearsal_shares_no_folder_with_measurements(tmp_path: Path) -> None:
    running.run([part("good")], tmp_path, NO_EXTRAS, 60, io.StringIO())
    with pytest.raises(UsageError, match="holds measurements already"):
        running.run([part("good")], tmp_path, Machine(rehearsed=True), 60, io.StringIO())


def worked(work: Path, *, rehearsed: bool = False) -> Path:
    """A folder of work with two records, one of which failed."""
    folder = work / state.RESULTS / "a-card"
    folder.mkdir(parents=True)
    failed = record(status="failed", blocks=[], failure={"stage": "load", "message": "no room"})
    for name, each in (("good", record(case=case())), ("failed", failed)):
        (folder / f"{name}.json").write_text(store.to_json(each), encoding="utf-8")
    (folder / ".lock").write_text("1")
    state.save(work, state.State.model_validate({"schema": state.SCHEMA, "rehearsed": rehearsed}))
    return work


def test_archives_bring_the_work_to_another_machine_and_its_records_home(tmp_path: Path) -> None:
    archives = packing.pack(worked(tmp_path / "there"), tmp_path / "out")
    copied = packing.merge(archives, tmp_path / "here", tmp_path / "results")
    names = {str(path.relative_to(tmp_path / "results")) for path in copied}
    assert names == {"a-card/good.json", "a-card/evidence/findings.json"}
    assert (tmp_path / "here" / state.FILE).exists()
    again = packing.merge(archives, tmp_path / "here", tmp_path / "results")
    assert [path.name for path in again] == ["findings.json"], "a record is copied once"


def test_archives_are_begun_anew_before_they_grow_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "VOLUME_BYTES", 1)
    for number in range(3):
        (tmp_path / f"{number}.bin").write_bytes(os.urandom(100_000))
    archives = packing.pack(tmp_path, tmp_path / "out")
    assert len(archives) == 3
    monkeypatch.setattr(packing, "VOLUMES", 2)
    with pytest.raises(RecordError, match="archives, and 2 are allowed"):
        packing.pack(tmp_path, tmp_path / "out")


def test_a_rehearsal_and_what_is_no_archive_never_reach_results(tmp_path: Path) -> None:
    archives = packing.pack(worked(tmp_path / "there", rehearsed=True), tmp_path / "out")
    with pytest.raises(UsageError, match="rehearsal on a stand-in card"):
        packing.merge(archives, tmp_path / "here", tmp_path / "results")
    foreign = tmp_path / "foreign.tar.gz"
    foreign.write_bytes(b"not an archive")
    with pytest.raises(UsageError, match="not an archive of gpu-evidence"):
        packing.merge([foreign], tmp_path / "here", tmp_path / "results")
    outside = tmp_path / "outside.tar.gz"
    with tarfile.open(outside, "w:gz") as archive:
        archive.add(foreign, arcname="../../escaped")
    with pytest.raises(UsageError, match="not an archive of gpu-evidence"):
        packing.merge([outside], tmp_path / "here", tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_ctrl_c_keeps_what_is_done_and_packs_it(tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    command = [sys.executable, "-m", "tests.evidence", "rehearse", "--work", str(work), "--out", str(out)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said.startswith("doctor: what the machine can measure"), said
    assert wait_until((work / state.FILE).exists, 10)
    process.send_signal(signal.SIGINT)
    printed, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("Interrupted; the same command goes on from here.\n"), err
    assert state.load(work).parts["doctor"].status == "interrupted"
    assert str(out / "evidence-1.tar.gz") in printed
    assert {path.name for path in out.iterdir()} == {"evidence-1.tar.gz", "findings.json", "findings.md"}
