"""Which records stand for a case that is asked for again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import load
from bench.catalog.models import Measure
from bench.core.machine import GpuFacts, Machine
from bench.core.provenance import CodeVersion, Provenance
from bench.core.record import Record
from bench.core.recorded import RequestedCase
from bench.core.repetition import Pair, StopInfo
from bench.core.sweep import SweepPoint
from bench.core.weights import Weights
from bench.measurement.case_plan import EarlierRecords
from bench.measurement.measured_already import RunConditions, interrupted, measured_already
from bench.store.machine_folder import MachineFolder
from bench.worker.engine_spec import with_architecture
from tests.support import factory
from tests.support.main_job.running import CATALOGUE

UUID, MACHINE = "GPU-1", "card-1a2b"
ASKED = Measure(target=0.05, max_seconds=900.0, quick=False)
Change = Callable[[Record], None]


def planned(batch: int = 4) -> Planned:
    (item,) = plan(load(CATALOGUE), ["tiny-bloom"], Overrides(weights="random"))
    return Planned(replace(with_architecture(item.case), batch=batch), ASKED)


def record_of(item: Planned, **more: Any) -> Record:
    """A whole record of a case, on one card of 700 W."""
    facts: dict[str, Any] = {
        "label": item.case.label,
        "case": item.case.as_mapping(),
        "ended": StopInfo(by="target", target=0.05, max_seconds=900.0, achieved=0.03),
        "machine": Machine(
            id="1a2b",
            device="cuda",
            driver="580",
            metered=[UUID],
            gpus=[GpuFacts(uuid=UUID, power_limit_w=700.0), GpuFacts(uuid="GPU-2", power_limit_w=300.0)],
        ),
        "provenance": Provenance(
            libraries={"torch": "2.9"},
            environment={"OMP_NUM_THREADS": "4", "HF_HUB_OFFLINE": "1"},
            git=CodeVersion(commit="a" * 40, dirty=True, sources="0123"),
        ),
    }
    return factory.record(**(facts | more))


def found(folder: Path, record: Record, item: Planned, **more: Any) -> bool:
    """Whether the record, in the machine's folder, stands for the case under the usual conditions."""
    conditions = RunConditions.of_record(record_of(item))
    with MachineFolder(folder, MACHINE) as kept:
        kept.save(record)
    return measured_already([item], folder / MACHINE, conditions, **more).keys() == {0}


def test_a_whole_record_of_the_same_case_and_conditions_stands_for_it(tmp_path: Path) -> None:
    item = planned()
    assert found(tmp_path, record_of(item), item)


def changed(**changes: Any) -> Change:
    def change(record: Record) -> None:
        for path, value in changes.items():
            *parts, last = path.split("__")
            place: Any = record
            for part in parts:
                place = getattr(place, part)
            setattr(place, last, value)

    return change


@pytest.mark.parametrize(
    "change",
    [
        changed(machine__id="ffff"),
        changed(machine__device="cpu"),
        changed(machine__driver="590"),
        changed(machine__metered=["GPU-2"]),
        changed(machine__gpus=[GpuFacts(uuid=UUID, power_limit_w=350.0)]),
        changed(provenance__libraries={"torch": "3.0"}),
        changed(provenance__environment={"OMP_NUM_THREADS": "1"}),
        changed(provenance__git__sources="4567"),
        changed(provenance__git=None),
        changed(status="invalid"),
        changed(status="failed"),
        changed(ended__by="interrupt", ended__achieved=0.2),  # without its seconds
        changed(ended__by="failure"),
        changed(ended__quick=True),
        changed(ended__achieved=0.2, ended__max_seconds=100.0),
        changed(ended__achieved=0.2, ended__target=0.1),
        changed(case__hash="0" * 16, case__batch=3),
        changed(pair=Pair(side="A", other="b", other_hash="0" * 16, order="AB")),
    ],
)
def test_anything_else_is_measured_anew(tmp_path: Path, change: Change) -> None:
    item = planned()
    record = record_of(item)
    change(record)
    assert not found(tmp_path, record, item)


@pytest.mark.parametrize(
    "change",
    [
        changed(provenance__environment={"OMP_NUM_THREADS": "4"}),  # the hub's setting moves no joules
        changed(provenance__git__commit="b" * 40),  # the sources are what they were
        changed(ended__by="max_seconds", ended__achieved=0.2),  # as long as asked for, without reaching it
        changed(ended__target=0.5, ended__achieved=0.04),
        changed(ended__by="interrupt"),  # late, when the target was reached
    ],
)
def test_what_changes_nothing_of_the_answer_does_not(tmp_path: Path, change: Change) -> None:
    item = planned()
    record = record_of(item)
    change(record)
    assert found(tmp_path, record, item)


def test_half_the_batch_stands_for_a_case_that_memory_did_not_suffice_for(tmp_path: Path) -> None:
    item, smaller = planned(4), planned(2)
    asked = RequestedCase.model_validate(item.case.as_mapping() | {"reason": "out of memory"})
    assert found(tmp_path / "a", record_of(smaller, requested=asked), item)
    assert not found(tmp_path / "b", record_of(smaller), item)


def test_outputs_are_made_anew_where_they_are_asked_for_and_were_not_kept(tmp_path: Path) -> None:
    item = planned()
    assert not found(tmp_path / "a", record_of(item), item, with_outputs=True)
    assert found(tmp_path / "b", record_of(item, outputs=["outputs/a.txt"]), item, with_outputs=True)


def with_weights(item: Planned, **weights: Any) -> Planned:
    return replace(item, case=replace(item.case, weights=Weights(**weights)))


def test_any_commit_stands_for_main_and_none_for_another(tmp_path: Path) -> None:
    def hub(revision: str) -> Planned:
        return with_weights(planned(), kind="hub", hub_id="a/b", revision=revision)

    assert found(tmp_path / "a", record_of(hub("c" * 40)), hub("main"))
    assert not found(tmp_path / "b", record_of(hub("c" * 40)), hub("d" * 40))


def test_a_folder_is_known_by_its_files(tmp_path: Path) -> None:
    from bench.engines.weights.weight_files import fingerprint

    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "config.json").write_text("{}")
    item = with_weights(planned(), kind="path", path=str(weights))
    loaded = with_weights(planned(), kind="path", fingerprint=fingerprint(weights))
    assert found(tmp_path / "a", record_of(loaded), item)
    elsewhere = tmp_path / "others"
    elsewhere.mkdir()
    (elsewhere / "config.json").write_text("{ }")
    assert not found(
        tmp_path / "b", record_of(loaded), with_weights(planned(), kind="path", path=str(elsewhere))
    )


def test_the_newest_that_stands_is_taken_and_a_broken_file_stands_for_nothing(tmp_path: Path) -> None:
    item = planned()
    conditions = RunConditions.of_record(record_of(item))
    with MachineFolder(tmp_path, MACHINE) as kept:
        paths = [
            kept.save(record_of(item, created=f"2026-01-0{day}T12:00:00Z", status=status))
            for day, status in ((1, "ok"), (2, "ok"), (3, "failed"))
        ]
    broken = paths[2].with_name(paths[2].name.replace("20260103", "20260104"))
    broken.write_text("{")
    assert measured_already([item], tmp_path / MACHINE, conditions)[0][1] == paths[1]


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [
        (changed(status="failed"), True),
        (changed(status="failed", machine__metered=[]), True),  # before its cards were metered
        (changed(ended__achieved=0.2), True),
        (changed(ended__by="failure", status="failed"), False),
        (changed(machine__driver="590"), False),
        (changed(case__hash="0" * 16, case__batch=3), False),
        (changed(sweep=SweepPoint(order="blocked", number=1, total=2)), False),
    ],
)
def test_a_case_that_was_interrupted_is_known(tmp_path: Path, change: Change, goes_on: bool) -> None:
    item = planned()
    record = record_of(item)
    assert record.ended is not None
    record.ended.by = "interrupt"
    change(record)
    with MachineFolder(tmp_path, MACHINE) as kept:
        kept.save(record)
    conditions = RunConditions.of_record(record_of(item))
    assert (interrupted([item], tmp_path / MACHINE, conditions).keys() == {0}) is goes_on


@pytest.mark.parametrize(
    ("measured", "begun", "goes_on_with"),
    [("aa", "b", "a"), ("", "bb", "b"), ("ac", "b", None), ("", "bc", None), ("", "", None)],
)
def test_a_command_goes_on_with_the_run_that_it_completes(
    measured: str, begun: str, goes_on_with: str | None
) -> None:
    def of(ids: str) -> dict[int, tuple[Record, Path]]:
        return {at: (factory.record(run_id=run_id), Path()) for at, run_id in enumerate(ids)}

    assert EarlierRecords(of(measured), of(begun)).run_id == goes_on_with
