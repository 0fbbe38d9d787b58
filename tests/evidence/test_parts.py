"""The parts are the suite's own cases, each short enough; probes and cross-checks tell what is so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.catalog import loading
from bench.catalog.cases import Overrides, plan
from bench.records import store
from bench.records.schema import Record
from tests.cli.conftest import Typed, typed  # noqa: F401 - a fixture
from tests.evidence import findings, page, tables, wheels
from tests.evidence.crosscheck import PAIRINGS, checks
from tests.evidence.parts import SUITE, arguments, parts
from tests.meters.helpers import MS, ROOT
from tests.records.factory import block, case, record
from tests.standin import StandIn

CATALOGUE = loading.load(ROOT / "models.yaml")
CALL_S = 9 * 60 - 15
"""A call of nine minutes, less what putting wheels in place takes."""


def test_every_part_fits_into_one_call() -> None:
    planned = parts(CATALOGUE)
    assert {part.name: part.seconds for part in planned if part.seconds > CALL_S} == {}
    assert len({part.name for part in planned}) == len(planned)


def test_a_part_measures_the_very_case_of_the_suite(typed: Typed) -> None:  # noqa: F811
    suite = typed(
        "run", SUITE, "--models", ROOT / "models.yaml", "--device", "cpu", "--dry-run"
    ).out.splitlines()
    small = [item for item in plan(CATALOGUE, [SUITE], Overrides()) if item.case.model.memory_gb < 2.5]
    assert {item.case.model.unit for item in small} == {"page", "image"}
    for item in small:
        done = typed(
            "run", *arguments(item), "--models", ROOT / "models.yaml", "--device", "cpu", "--dry-run"
        )
        assert done.out.strip() in suite, done.err


def images(joules: float, **options: object) -> Record:
    asked = {"steps": 28, "width": 1024, "height": 1024, "guidance": 4.5, "scheduler": None} | options
    weights = case()["weights"] | {"kind": "random", "architecture": "sd3.5-medium"}
    of = case(model="sd3.5-medium", engine="image", unit="image", options=asked, weights=weights)
    spread = (-0.01, 0.0, 0.01, 0.0, 0.002)
    return record(case=of, blocks=[block(10 * joules * (1 + each), units=10.0, items=10) for each in spread])


def test_a_figure_like_the_published_one_is_within_its_bounds() -> None:
    (check,) = checks([images(1581.0)])
    assert check.ratio == pytest.approx(1.0, abs=0.01)
    assert check.within is True
    (far,) = checks([images(400.0)])
    assert far.within is False
    (unlike,) = checks([images(1581.0, steps=10)])
    assert (unlike.ratio, unlike.why) == (None, "no ratio: steps 10 here, 28.0 there")


def test_each_pairing_is_a_case_of_the_suite() -> None:
    cases = {(item.case.name, item.case.work.batch) for item in plan(CATALOGUE, [SUITE], Overrides())}
    assert {(each.model, each.batch) for each in PAIRINGS} <= cases


def test_the_page_shows_records_of_a_gpu_and_what_was_found_beside_them(tmp_path: Path) -> None:
    assert "No record of a GPU is in results/ yet" in page.page(tmp_path)
    folder = tmp_path / "a-card"
    (folder / findings.FOLDER).mkdir(parents=True)
    made = images(1581.0)
    (folder / "image.json").write_text(store.to_json(made), encoding="utf-8")
    repeat = findings._repeat([made, images(1600.0)])
    assert repeat.apart == pytest.approx(19 / 1581, rel=0.01)
    assert repeat.cv == pytest.approx(0.0076, rel=0.1)
    found = findings.Findings(
        schema=findings.SCHEMA,
        created="2026-01-01T00:00:00Z",
        machine="a-card",
        calibrations=[],
        sensor=None,
        beside=None,
        cost=None,
        repeats=[repeat],
        itself=[],
        checks=list(checks([made])),
        absent={"sensor": "not done yet"},
    )
    path = folder / findings.FOLDER / findings.FILE
    path.write_text(findings.to_json(found), encoding="utf-8")
    text = page.page(tmp_path)
    for said in ("random weights, true architecture", "| 1580 |", "Against published figures of an H100"):
        assert said in text
    assert "sensor: not done yet" in text
    assert "US person" in text
    assert tables.REHEARSED not in text


def test_the_committed_page_is_what_the_committed_records_give() -> None:
    written = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert written == page.page(ROOT / "results"), "run scripts/gpu-evidence page"


def test_every_wheel_has_a_tested_version_and_nothing_is_missing_here() -> None:
    assert len(list(wheels.pinned())) == len(wheels.CARRIED)
    assert wheels.unmet() == []


@pytest.mark.slow
def test_a_sensor_that_sees_a_quarter_of_the_time_is_told_by_loads_at_eight_phases(
    standin: StandIn, tmp_path: Path
) -> None:
    gpu = standin.gpu(0)
    standin.load(0, standin.now_ns(), 70.0)
    gpu.seen_share, gpu.counter_part_time, gpu.tick_ns = 0.25, True, 100 * MS
    command = [sys.executable, "-m", "tests.evidence.rehearsed", "sensor", "--seconds", "0.5", "--gpus", "0"]
    done = subprocess.run(
        [*command, "--results", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | standin.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["phases"]["verdict"] == "sees part of the time"
    steady = {each["level"]: each["apart"] for each in found["steady"]}
    assert steady == pytest.approx({"idle": 0, "middle": 0, "high": 0}, abs=0.05)
    assert found["scopes"]["power_instant_w"]["module"] == "Not Supported"
