"""What `bench.measure` and the pytest plugin stored, through the verbs that read it as what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.compare import record_set
from bench.core.energy_result import EnergyResult
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.store import results
from tests.cli.conftest import Typed
from tests.support.factory import record
from tests.support.own_windows import keep, result, session
from tests.support.sample import save


def test_two_sessions_are_compared_test_by_test(typed: Typed, tmp_path: Path) -> None:
    before = session(tmp_path / "a.json", {"t.py::test_a": 300.0, "t.py::test_b": 300.0})
    after = session(tmp_path / "b.json", {"t.py::test_a": 330.0, "t.py::test_b": 300.0})
    done = typed("compare", before, after, "--json")
    found = json.loads(done.out)
    assert done.status == 1
    assert {each["label"]: each["verdict"] for each in found["comparisons"]} == {
        "t.py::test_a": "worse",
        "t.py::test_b": "same",
    }
    assert {row["title"] for each in found["comparisons"] for row in each["rows"]} >= {"J/call", "s/call"}
    assert "worse" in typed("compare", before, after).out


def test_two_results_of_one_name_are_compared_and_of_two_names_are_not(typed: Typed, tmp_path: Path) -> None:
    before = keep(tmp_path / "a.json", result(300.0))
    assert typed("compare", before, keep(tmp_path / "b.json", result(270.0))).status == 0
    other = typed("compare", before, keep(tmp_path / "c.json", result(270.0, "another")))
    assert other.status == 3
    assert "name: pipe, another" in other.out


def test_a_result_is_never_compared_with_a_record_as_if_it_were_one(typed: Typed, tmp_path: Path) -> None:
    done = typed("compare", keep(tmp_path / "a.json", result(300.0)), save(tmp_path / "b.json", record()))
    assert done.status == 3
    assert "not comparable" in done.out


def test_show_and_validate_say_what_it_is(typed: Typed, tmp_path: Path) -> None:
    path = keep(tmp_path / "a.json", result(300.0))
    shown = typed("show", path)
    assert shown.status == 0
    assert shown.out.startswith("pipe   ok   2026-01-31T12:00:00Z\n")
    assert "J per image, gpu" in shown.out
    assert json.loads(typed("show", path, "--json").out) == json.loads(path.read_text())
    assert "J per image" in typed("show", path, "--budget").out
    assert typed("validate", path).status == 0
    edited = json.loads(path.read_text())
    edited["figures"]["energy_per_unit_j"]["gpu"]["gross"] |= {"value": 200.0, "low": 190.0, "high": 210.0}
    path.write_text(json.dumps(edited))
    done = typed("validate", path)
    assert (done.status, "its blocks give 300" in done.err) == (2, True)


def test_a_report_lists_tests_beside_records(typed: Typed, tmp_path: Path) -> None:
    tests = session(tmp_path / "s.json", {"t.py::test_a": 300.0})
    kept = save(tmp_path / "r.json", record())
    done = typed("report", tests, kept, "--format", "md", "-o", "-")
    assert done.status == 0
    assert "Programs and tests" in done.out
    assert "t.py::test\\_a" in done.out or "t.py::test_a" in done.out
    assert "Programs and tests" not in typed("report", kept, "--format", "md", "-o", "-").out


@pytest.mark.parametrize("verb", [("export", "csv"), ("footprint", "record")])
def test_verbs_of_cases_refuse_it_in_a_sentence(typed: Typed, tmp_path: Path, verb: tuple[str, ...]) -> None:
    done = typed(*verb, keep(tmp_path / "a.json", result(300.0)))
    assert done.status == 2
    assert "windows of a program's own (pipe), not a record of a case" in done.err


def test_a_folder_of_records_passes_it_over(tmp_path: Path) -> None:
    save(tmp_path / "r.json", record())
    keep(tmp_path / "a.json", result(300.0))
    source = record_set.measured_below(tmp_path)
    assert [type(found.record) for found in source.found] == [Record]


def test_an_old_session_names_its_results_after_their_tests(tmp_path: Path) -> None:
    path = session(tmp_path / "s.json", {"t.py::test_a": 300.0})
    raw = json.loads(path.read_text())
    del raw["tests"]["t.py::test_a"]["name"]
    path.write_text(json.dumps(raw))
    (found,) = record_set.measured_below(path).found
    assert (found.record.label, found.record.unit) == ("t.py::test_a", "call")


def test_a_damaged_result_is_refused_with_its_place(typed: Typed, tmp_path: Path) -> None:
    path = keep(tmp_path / "a.json", result(300.0))
    path.write_text(path.read_text().replace('"status": "ok"', '"status": "fine"'))
    done = typed("show", path)
    assert done.status == 2
    assert "not what a program or a test measured: status: Input should be" in done.err


@pytest.mark.parametrize("kind", [Record, EnergyResult])
def test_both_are_measurements_whose_files_begin_with_their_schema(kind: type[Measurement]) -> None:
    measurement = record() if kind is Record else result(300.0)
    assert isinstance(measurement, Measurement)
    assert next(iter(json.loads(results.to_json(measurement)))) == "schema"
    assert not vars(Measurement).get("__annotations__", {}).keys() & set(Measurement.model_fields)
    headline = measurement.headline()
    assert headline is not None
    assert headline.value == pytest.approx(300.0)
