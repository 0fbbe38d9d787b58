"""Archives bring work home and on to another machine, and never replace what is done there."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from bench.errors import RecordError, UsageError
from bench.store import results
from bench.store.machine_folder import MachineFolder
from scripts.evidence import packing
from scripts.evidence import state as states
from scripts.evidence.parts import RESULTS, TRIAL
from scripts.evidence.state import CardState, State, Try
from tests.support.factory import case, record

CARDS = ("GPU-1", "GPU-2")


def worked(work: Path, *, rehearsed: bool = False) -> Path:
    """A folder of work with two records, one of which failed."""
    folder = work / RESULTS / "a-card"
    folder.mkdir(parents=True)
    failed = record(status="failed", blocks=[], failure={"stage": "load", "message": "no room"})
    for name, each in (("good", record(case=case())), ("failed", failed)):
        (folder / f"{name}.json").write_text(results.to_json(each), encoding="utf-8")
    (folder / ".lock").write_text("1")
    tried = Try(status="done", tries=1, began="2026-01-01T00:00:00Z", records=["a-card/good.json"])
    card = CardState(name="a card", parts={"sdxl-round-1": tried})
    known = {"schema": states.SCHEMA, "rehearsed": rehearsed, "cards": {CARDS[0]: card}}
    states.save(work, State.model_validate(known))
    return work


def test_archives_bring_the_work_to_another_machine_and_its_records_home(tmp_path: Path) -> None:
    archives = packing.pack(worked(tmp_path / "there"), tmp_path / "out")
    copied = packing.merge(archives, tmp_path / "here", tmp_path / "results")
    names = {str(path.relative_to(tmp_path / "results")) for path in copied}
    assert names == {"a-card/good.json", "a-card/evidence/gpu-1.json"}
    assert (tmp_path / "here" / states.FILE).exists()
    again = packing.merge(archives, tmp_path / "here", tmp_path / "results")
    assert [path.name for path in again] == ["gpu-1.json"], "a record is copied once"


def state_of(card: str, *, rehearsed: bool = False, **parts: tuple[str, int]) -> State:
    """A card's parts by name: status, and the day on which each was begun."""
    tried = {
        name: {"status": status, "tries": 1, "began": f"2026-01-{day:02}T00:00:00Z"}
        for name, (status, day) in parts.items()
    }
    cards = {card: {"name": "a card", "parts": tried}}
    return State.model_validate({"schema": states.SCHEMA, "rehearsed": rehearsed, "cards": cards})


def archive(folder: Path, state: State, **answers: str) -> list[Path]:
    """The archives of a folder of work with this state, and answers of the card's parts."""
    states.save(folder / "work", state)
    (card,) = state.cards
    for name, text in answers.items():
        path = states.folder_of(folder / "work", card) / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return packing.pack(folder / "work", folder / "out")


def statuses(work: Path) -> dict[str, dict[str, str]]:
    cards = states.load(work).cards
    return {key: {name: tried.status for name, tried in card.parts.items()} for key, card in cards.items()}


def test_what_one_card_has_done_is_added_to_what_another_has(tmp_path: Path) -> None:
    work = tmp_path / "here"
    states.save(work, state_of("GPU-0", sensor=("done", 1)))
    for number, card in enumerate(CARDS):
        packing.merge(
            archive(tmp_path / str(number), state_of(card, doctor=("done", 2))), work, tmp_path / "results"
        )
    assert statuses(work) == {
        "GPU-0": {"sensor": "done"},
        "GPU-1": {"doctor": "done"},
        "GPU-2": {"doctor": "done"},
    }


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_order_of_archives_changes_nothing(tmp_path: Path, *, newest_first: bool) -> None:
    early = state_of("GPU-1", sensor=("begun", 1), cost=("failed", 1), doctor=("done", 1))
    late = state_of("GPU-1", sensor=("done", 2), cost=("interrupted", 2), doctor=("begun", 2), aa=("done", 2))
    archives = [
        *archive(tmp_path / "a", early, doctor="early"),
        *archive(tmp_path / "b", late, doctor="late"),
    ]
    os.utime(states.folder_of(tmp_path / "a" / "work", "GPU-1") / "doctor.json", (1e9, 1e9))
    archives[:1] = packing.pack(tmp_path / "a" / "work", tmp_path / "a" / "out")
    for path in reversed(archives) if newest_first else archives:
        packing.merge([path], tmp_path / "here", tmp_path / "results")
    expected = {"sensor": "done", "cost": "interrupted", "doctor": "done", "aa": "done"}
    assert statuses(tmp_path / "here") == {"GPU-1": expected}
    answer = states.folder_of(tmp_path / "here", "GPU-1") / "doctor.json"
    assert answer.read_text() == "late"


@pytest.mark.parametrize("real_there", [False, True])
def test_a_rehearsal_leaves_the_state_of_measurements_alone(tmp_path: Path, *, real_there: bool) -> None:
    """In one call with a good archive too: nothing is written before every archive was read."""
    work = tmp_path / "here"
    states.save(work, state_of("GPU-1", sensor=("done", 1)))
    before = (work / states.FILE).read_bytes()
    archives = archive(tmp_path / "a", state_of("GPU-2", sensor=("done", 1))) if real_there else []
    archives += archive(tmp_path / "b", state_of("GPU-1", rehearsed=True, sensor=("done", 9)), sensor="{}")
    with pytest.raises(UsageError, match="rehearsal on a stand-in card"):
        packing.merge(archives, work, tmp_path / "results")
    assert (work / states.FILE).read_bytes() == before
    assert [path.name for path in work.iterdir()] == [states.FILE]


def test_what_a_killed_run_had_measured_travels_and_a_trial_stays_out_of_results(tmp_path: Path) -> None:
    there = worked(tmp_path / "there")
    with MachineFolder(there / RESULTS, "a-card") as folder:
        folder.save_partial(record(case=case(model="killed")))
    trial = there / TRIAL / "a-card" / "trial.json"
    trial.parent.mkdir(parents=True)
    trial.write_text(results.to_json(record()), encoding="utf-8")
    packing.merge(packing.pack(there, tmp_path / "out"), tmp_path / "here", tmp_path / "results")
    assert len(list((tmp_path / "here" / RESULTS / "a-card" / ".partial").glob("*.json"))) == 1
    assert (tmp_path / "here" / TRIAL / "a-card" / "trial.json").exists()
    assert {path.name for path in (tmp_path / "results").rglob("*.json")} == {"good.json", "gpu-1.json"}


def test_every_archive_can_be_taken_in_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "VOLUME_BYTES", 1)
    archives = packing.pack(worked(tmp_path / "there"), tmp_path / "out")
    assert len(archives) > 1
    packing.merge(archives[-1:], tmp_path / "here", tmp_path / "results")
    assert statuses(tmp_path / "here") == {"GPU-1": {"sdxl-round-1": "done"}}


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


def test_a_rehearsal_and_foreign_files_never_reach_results(tmp_path: Path) -> None:
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
