"""Parts one after the other: what fits, what failed, what an interrupt leaves."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.core.record import Record
from bench.core.repetition import StopInfo
from bench.errors import RecordError, UsageError
from bench.store import results as store
from bench.store.machine_folder import MachineFolder
from scripts.evidence import packing, process, running, state
from scripts.evidence.parts import CALL_MINUTES, RESULTS, TRIAL, longest_s
from scripts.evidence.state import Try
from tests.scripts.evidence.helpers import CARD, OTHER, part, recording, run, tries
from tests.support.factory import record
from tests.support.processes import ROOT, wait_until


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


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


def test_nothing_follows_a_vital_part_that_is_not_done(work: Path) -> None:
    said = io.StringIO()
    parts = (part("access", 2, vital=True), part("good"))
    assert run(parts, work, 60, said) == 1
    assert set(tries(work)) == {"access"}
    assert "access is not done, and every other part needs it." in said.getvalue()
    slow = (part("slow", seconds=60, vital=True), part("good"))
    assert run(slow, work, 1) == 0
    assert set(tries(work)) == {"access", "slow"}


def test_a_part_that_overruns_is_interrupted_and_begun_again_where_its_estimate_fits(work: Path) -> None:
    """What it took is the time it was given: held against it, no call would ever be long enough."""
    slow = part("slow", seconds=60)
    assert run([slow], work, 1.0) == 0
    tried = tries(work)["slow"]
    assert (tried.status, tried.exit_status) == ("interrupted", 130)
    assert "ended at its limit of 1 s" in tried.last_output
    assert state.load(work).cards[CARD.key].expected_s(slow) == slow.seconds
    assert not (state.folder_of(work, CARD.key) / "slow.json").exists()
    assert run([slow], work, 1.0) == 0
    assert tries(work)["slow"].tries == 2


def test_a_part_that_failed_late_is_expected_to_take_as_long_again_but_never_longer_than_a_call() -> None:
    bad = part("bad", expected_s=10)
    for seconds, expected_s in ((3.0, 10.0), (30.0, 30.0), (3000.0, longest_s(CALL_MINUTES))):
        tried = Try(status="failed", tries=1, began="2026-01-01T00:00:00Z", seconds=seconds)
        assert state.CardState(name="a card", parts={"bad": tried}).expected_s(bad) == expected_s


def test_a_call_too_short_for_every_part_left_says_how_long_one_must_be(work: Path) -> None:
    said = io.StringIO()
    parts = (part("good"), part("longest", expected_s=400), part("long", expected_s=300))
    assert run(parts, work, 60, said) == 0
    assert "next comes longest, about 6 min 40 s. long needs --minutes 6." in said.getvalue()
    assert "The same command goes on" not in said.getvalue()


def test_a_part_that_hangs_ends_after_a_multiple_of_its_estimate(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LEAST_LIMIT_S", 1.0)
    assert run([part("hangs", seconds=60), part("good")], work, 60) == 0
    assert {name: tried.status for name, tried in tries(work).items()} == {
        "hangs": "interrupted",
        "good": "done",
    }


def test_the_output_of_a_part_is_in_its_log_while_it_runs(work: Path) -> None:
    log = state.folder_of(work, CARD.key) / "logs" / "slow.stdout"
    thread = threading.Thread(target=run, args=([part("slow", seconds=3)], work, 60))
    thread.start()
    try:
        assert wait_until(lambda: log.exists() and '{"said": "so"}' in log.read_text(), 20)
        assert tries(work)["slow"].status == "begun"
    finally:
        thread.join()


@pytest.mark.parametrize("ignored", [False, True])
def test_a_part_is_interrupted_in_order_also_where_this_process_ignores_interrupts(
    work: Path, *, ignored: bool
) -> None:
    """As one begun by nohup or with `&` does: an ignored signal is inherited."""
    program = (
        "import signal, sys; from pathlib import Path; from tests.scripts.evidence import helpers as t\n"
        "if sys.argv[2] == 'True': signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "t.run([t.part('slow', seconds=60)], Path(sys.argv[1]), 2)\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    )
    command = [sys.executable, "-c", program, str(work), str(ignored)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert tries(work)["slow"].exit_status == 130
    assert done.stdout.strip() == str(ignored), "this process goes on as it was begun"


def test_a_part_that_ignores_interrupts_is_ended_by_sigterm_before_sigkill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_S", dict.fromkeys(process.GRACE_S, 1.0))
    ignore = "import signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    on_term = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    for handler, status in ((on_term, 7), (deaf, -signal.SIGKILL)):
        command = [sys.executable, "-c", f"{ignore}{handler}time.sleep(60)"]
        ended = process.run(command, os.environ, tmp_path / "log", 2.0)
        assert (ended.in_time, ended.exit_status) == (False, status)


def test_a_part_whose_record_is_invalid_failed_and_its_reasons_are_told_and_kept(work: Path) -> None:
    invalid = record(status="invalid", reasons=["0 of 5 blocks are valid, 5 are needed.", "throttled"])
    said = io.StringIO()
    assert run([recording("sdxl", 3, invalid, work)], work, 60, said) == 1
    tried = tries(work)["sdxl"]
    assert (tried.status, tried.records) == ("failed", ["a-card/sdxl.json"])
    assert "0 of 5 blocks are valid, 5 are needed.; throttled" in tried.last_output
    assert "throttled" in said.getvalue()


def test_a_part_that_was_cut_short_after_enough_blocks_is_a_result(work: Path) -> None:
    good = record(ended=StopInfo(by="interrupt", target=0.03, max_seconds=60.0, achieved=0.02))
    wide = record(ended=StopInfo(by="interrupt", target=0.03, max_seconds=60.0, achieved=0.2))
    too_short = record(status="failed", reasons=["The run was interrupted."], blocks=[])
    for name, made in (("good", good), ("wide", wide), ("short", too_short)):
        run([recording(name, 130, made, work)], work, 60)
    found = {name: tried.status for name, tried in tries(work).items()}
    assert found == {"good": "done", "wide": "inconclusive", "short": "interrupted"}


def killed(work: Path, part: str, partial: Record, results: str = RESULTS) -> None:
    """A folder of work as SIGKILL leaves it in the middle of a part that measures."""
    tried = Try(status="begun", tries=1, began=partial.created)
    card = state.CardState(name=CARD.name, parts={part: tried})
    state.save(work, state.State.model_validate({"schema": state.SCHEMA, "cards": {CARD.key: card}}))
    with MachineFolder(work / results, "a-card") as folder:
        folder.save_partial(partial)


def test_a_good_retry_after_a_kill_is_judged_by_its_own_record(work: Path) -> None:
    killed(work, "sdxl", record(status="failed", blocks=[], created="2026-01-01T00:00:00Z"))
    said = io.StringIO()
    assert run([recording("sdxl", 0, record(), work)], work, 60, said) == 0
    assert said.getvalue().startswith("sdxl: too few valid blocks before it was killed\n")
    tried = tries(work)["sdxl"]
    assert (tried.status, tried.tries, tried.records) == ("done", 2, ["a-card/sdxl.json"])
    assert len(list((work / RESULTS / "a-card").glob("*.json"))) == 2, "the killed run's record is kept"


@pytest.mark.parametrize(("achieved", "status"), [(0.02, "done"), (0.2, "inconclusive")])
def test_a_killed_part_with_enough_blocks_is_a_result_and_not_measured_again(
    work: Path, achieved: float, status: str
) -> None:
    ended = StopInfo(by="max_seconds", target=0.03, max_seconds=60.0, achieved=achieved)
    killed(work, "sdxl", record(ended=ended))
    said = io.StringIO()
    assert run([recording("sdxl", 1, record(), work)], work, 60, said) == 0
    assert f"sdxl: killed after enough valid blocks: {status}" in said.getvalue()
    tried = tries(work)["sdxl"]
    assert (tried.status, tried.tries, len(tried.records)) == (status, 1, 1)
    assert store.read(work / RESULTS / tried.records[0]).ended == ended.model_copy(update={"by": "interrupt"})


def test_what_a_killed_part_had_measured_is_never_given_to_another_part(work: Path) -> None:
    killed(work, "first-case", record(), TRIAL)
    assert run([recording("sdxl", 0, record(status="invalid", reasons=["throttled"]), work)], work, 60) == 1
    found = tries(work)
    assert found["sdxl"].records == ["a-card/sdxl.json"]
    assert found["first-case"].status == "done"
    assert not list((work / TRIAL).glob("*/.partial/*.json"))


def test_what_is_done_is_packed_after_every_part_and_survives_a_kill(tmp_path: Path) -> None:
    """Killed in its second part: the first is in the archive, and the next call goes on with the second."""
    work, out = tmp_path / "work", tmp_path / "out"
    program = (
        "import sys, time; from pathlib import Path; from tests.scripts.evidence import helpers as t\n"
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
        "import sys; from pathlib import Path; from tests.scripts.evidence import helpers as t\n"
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
    with pytest.raises(UsageError, match="has measurements already"):
        run([part("good")], work, 60, rehearsed=True)


def test_ctrl_c_keeps_what_is_done_and_packs_it(tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    command = [sys.executable, "-m", "scripts.evidence", "rehearse", "--work", str(work), "--out", str(out)]
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
    assert said.startswith("access: whether NVML and PyTorch see the card"), said
    assert wait_until((work / state.FILE).exists, 10)
    process.send_signal(signal.SIGINT)
    printed, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert err.endswith("Interrupted; the same command goes on from here.\n"), err
    (card,) = state.load(work).cards.values()
    assert card.parts["access"].status == "interrupted"
    assert str(out / "evidence-1.tar.gz") in printed
    assert {path.name for path in out.iterdir()} == {"evidence-1.tar.gz", "findings.json", "findings.md"}


def test_the_plan_of_a_rehearsal_has_the_parts_of_a_rehearsal(work: Path) -> None:
    run([part("good")], work, 60, rehearsed=True)
    command = [sys.executable, "-m", "scripts.evidence", "plan", "--work", str(work)]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("a card (GPU-1)\n")
    assert "tiny-stable-diffusion-round-1" in shown
    assert "bloom-7b1" not in shown
