"""Parts one after the other: what fits, what failed, what an interrupt leaves."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.errors import RecordError, UsageError
from bench.records import store
from bench.records.schema import Ended, Record
from tests.evidence import packing, state
from tests.evidence.card import Card
from tests.evidence.parts import Part
from tests.evidence.running import Machine, Runner
from tests.evidence.state import Try
from tests.meters.helpers import ROOT, wait_until
from tests.records.factory import case, record

CARD, OTHER = Card("GPU-1", "a card", 80.0), Card("GPU-2", "another card", 80.0)


def run(
    parts: Sequence[Part],
    work: Path,
    seconds: float,
    said: io.StringIO | None = None,
    card: Card = CARD,
    *,
    rehearsed: bool = False,
) -> int:
    runner = Runner(
        work,
        Machine(rehearsed=rehearsed),
        card,
        said or io.StringIO(),
        lambda: packing.pack(work, work.parent / "out"),
    )
    return runner.run(parts, time.monotonic() + seconds)


def tries(work: Path, card: Card = CARD) -> dict[str, Try]:
    return state.load(work).cards[card.key].parts


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def part(
    name: str, status: int = 0, seconds: float = 0.0, expected_s: float = 0.1, *, vital: bool = False
) -> Part:
    arguments = (str(status), str(seconds))
    return Part(name, "a test", expected_s, "tests.evidence.obedient", arguments, f"{name}.json", vital=vital)


def test_each_part_is_done_once_and_its_answer_kept(work: Path) -> None:
    parts = (part("good"), part("wide", 3), part("long", expected_s=1000))
    said = io.StringIO()
    assert run(parts, work, 60, said) == 0
    assert json.loads((state.folder_of(work, CARD.key) / "good.json").read_text()) == {"said": "so"}
    assert {name: each.status for name, each in tries(work).items()} == {
        "good": "done",
        "wide": "inconclusive",
    }
    assert "1 part is left, about 16 min 40 s; next comes long, about 16 min 40 s." in said.getvalue()
    before = (work / state.FILE).read_text()
    assert run(parts, work, 60) == 0
    assert (work / state.FILE).read_text() == before


def test_what_one_card_has_done_is_not_done_on_another(work: Path) -> None:
    parts = (part("good"),)
    assert run(parts, work, 60) == 0
    said = io.StringIO()
    assert run(parts, work, 60, said, OTHER) == 0
    assert "good: a test" in said.getvalue()
    assert {key: list(card.parts) for key, card in state.load(work).cards.items()} == {
        "GPU-1": ["good"],
        "GPU-2": ["good"],
    }


def test_a_part_that_the_card_has_no_room_for_is_left_out_and_not_failed(work: Path) -> None:
    said = io.StringIO()
    left_out = replace(part("large"), left_out="it needs 110 GB of memory, and the card has 80")
    assert run((left_out, part("good")), work, 60, said) == 0
    assert list(tries(work)) == ["good"]
    assert "Every part is done." in said.getvalue()


def test_a_part_that_fails_is_told_tried_again_and_given_up(work: Path) -> None:
    parts = (part("bad", 1), part("good"))
    for number in (1, 2, 3, 3):
        said = io.StringIO()
        known = state.load(work).cards.get(CARD.key)
        again = known is None or known.parts["bad"].tries < state.TRIES
        assert run(parts, work, 60, said) == (1 if again else 0)
        assert tries(work)["bad"].tries == number
        assert ("told to end with 1" in said.getvalue()) == again
    assert "Given up after 3 tries: bad." in said.getvalue()
    assert tries(work)["good"].status == "done"


def test_nothing_follows_a_vital_part_that_failed(work: Path) -> None:
    parts = (part("way", 2, vital=True), part("good"))
    assert run(parts, work, 60) == 1
    assert set(tries(work)) == {"way"}


def test_a_part_that_overruns_is_interrupted_and_known_to_be_longer(work: Path) -> None:
    slow = part("slow", seconds=60)
    assert run([slow], work, 1.0) == 0
    assert tries(work)["slow"].status == "interrupted"
    assert state.load(work).cards[CARD.key].expected_s(slow) >= 1
    assert not (state.folder_of(work, CARD.key) / "slow.json").exists()


def recording(name: str, status: int, made: Record, work: Path, seconds: float = 0.0) -> Part:
    """A part that leaves this record behind and ends so."""
    source = work.parent / f"{name}.record"
    source.write_text(store.to_json(made), encoding="utf-8")
    target = work / state.RESULTS / "a-card" / f"{name}.json"
    arguments = (str(status), str(seconds), str(source), str(target))
    return Part(name, "a test", 0.1, "tests.evidence.obedient", arguments, measures=True)


def test_a_part_whose_record_is_invalid_failed_and_its_reasons_are_told_and_kept(work: Path) -> None:
    invalid = record(status="invalid", reasons=["0 of 5 blocks are valid, 5 are needed.", "throttled"])
    said = io.StringIO()
    assert run([recording("sdxl", 3, invalid, work)], work, 60, said) == 1
    tried = tries(work)["sdxl"]
    assert (tried.status, tried.records) == ("failed", ["a-card/sdxl.json"])
    assert "0 of 5 blocks are valid, 5 are needed.; throttled" in tried.said
    assert "throttled" in said.getvalue()


def test_a_part_that_was_cut_short_after_enough_blocks_is_a_result(work: Path) -> None:
    good = record(ended=Ended(by="interrupt", target=0.03, max_seconds=60.0, achieved=0.02))
    wide = record(ended=Ended(by="interrupt", target=0.03, max_seconds=60.0, achieved=0.2))
    too_short = record(status="failed", reasons=["The run was interrupted."], blocks=[])
    for name, made in (("good", good), ("wide", wide), ("short", too_short)):
        run([recording(name, 130, made, work)], work, 60)
    found = {name: tried.status for name, tried in tries(work).items()}
    assert found == {"good": "done", "wide": "inconclusive", "short": "interrupted"}


def test_what_is_done_is_packed_after_every_part_and_survives_a_kill(tmp_path: Path) -> None:
    """Killed in its second part: the first is in the archive, and the next call goes on with the second."""
    work, out = tmp_path / "work", tmp_path / "out"
    program = (
        "import sys, time; from pathlib import Path; from tests.evidence import packing, test_running as t\n"
        "t.run((t.part('good'), t.part('endless', seconds=600)), Path(sys.argv[1]), 600)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(work)], cwd=ROOT, start_new_session=True)
    try:
        assert wait_until(lambda: bool(state.load(work).cards) and "endless" in tries(work), 60)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    fresh = tmp_path / "fresh"
    packing.merge(sorted(out.glob("*.tar.gz")), fresh, tmp_path / "results")
    assert {name: each.status for name, each in tries(fresh).items()} == {"good": "done"}
    assert {name: each.status for name, each in tries(work).items()} == {"good": "done", "endless": "begun"}
    said = io.StringIO()
    assert run((part("good"), part("endless")), work, 60, said) == 0
    assert "good: a test" not in said.getvalue()
    assert tries(work)["endless"].tries == 2


def test_a_part_ends_with_a_command_that_is_killed(tmp_path: Path) -> None:
    """A part is in the session of its command, so that a terminal or a job system that ends it ends both."""
    work = tmp_path / "work"
    program = (
        "import sys; from pathlib import Path; from tests.evidence import test_running as t\n"
        "t.run((t.part('endless', seconds=600),), Path(sys.argv[1]), 600)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(work)], cwd=ROOT, start_new_session=True)
    try:
        assert wait_until(lambda: bool(psutil.Process(process.pid).children()), 60)
        (child,) = psutil.Process(process.pid).children()
        assert os.getsid(child.pid) == process.pid
        assert os.getpgid(child.pid) == child.pid
    finally:
        for each in psutil.Process(process.pid).children():
            each.kill()
        process.kill()
        process.wait()


def test_a_damaged_state_is_one_sentence(work: Path) -> None:
    work.mkdir()
    (work / state.FILE).write_text('{"schema": "joulebench/evi')
    with pytest.raises(RecordError, match=r"is not a state of gpu-evidence: .* Remove it to begin anew"):
        run([part("good")], work, 60)


def test_a_rehearsal_shares_no_folder_with_measurements(work: Path) -> None:
    run([part("good")], work, 60)
    with pytest.raises(UsageError, match="holds measurements already"):
        run([part("good")], work, 60, rehearsed=True)


def worked(work: Path, *, rehearsed: bool = False) -> Path:
    """A folder of work with two records, one of which failed."""
    folder = work / state.RESULTS / "a-card"
    folder.mkdir(parents=True)
    failed = record(status="failed", blocks=[], failure={"stage": "load", "message": "no room"})
    for name, each in (("good", record(case=case())), ("failed", failed)):
        (folder / f"{name}.json").write_text(store.to_json(each), encoding="utf-8")
    (folder / ".lock").write_text("1")
    tried = Try(status="done", tries=1, began="2026-01-01T00:00:00Z", records=["a-card/good.json"])
    card = state.CardState(name=CARD.name, parts={"sdxl-round-1": tried})
    known = {"schema": state.SCHEMA, "rehearsed": rehearsed, "cards": {CARD.key: card}}
    state.save(work, state.State.model_validate(known))
    return work


def test_archives_bring_the_work_to_another_machine_and_its_records_home(tmp_path: Path) -> None:
    archives = packing.pack(worked(tmp_path / "there"), tmp_path / "out")
    copied = packing.merge(archives, tmp_path / "here", tmp_path / "results")
    names = {str(path.relative_to(tmp_path / "results")) for path in copied}
    assert names == {"a-card/good.json", "a-card/evidence/gpu-1.json"}
    assert (tmp_path / "here" / state.FILE).exists()
    again = packing.merge(archives, tmp_path / "here", tmp_path / "results")
    assert [path.name for path in again] == ["gpu-1.json"], "a record is copied once"


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
    assert said.startswith("way: whether NVML and PyTorch see the card"), said
    assert wait_until((work / state.FILE).exists, 10)
    process.send_signal(signal.SIGINT)
    printed, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("Interrupted; the same command goes on from here.\n"), err
    (card,) = state.load(work).cards.values()
    assert card.parts["way"].status == "interrupted"
    assert str(out / "evidence-1.tar.gz") in printed
    assert {path.name for path in out.iterdir()} == {"evidence-1.tar.gz", "findings.json", "findings.md"}
