"""A new energy source is one file: everything that reads domains takes it in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.core.domain import by_scope
from bench.core.source import GainPrior
from bench.meters import sources
from bench.meters.sources.rapl import FACTS as RAPL

TOYS = Path(__file__).parent / "toys"
PACKAGE = Path(__file__).parents[2] / "bench"

MEASURED = """
import json, sys, time
import bench
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import Recorder
from bench.meters.meter_set import MeterSet
from bench.meters.running_energy import RunningEnergy
from tests.support.metering import QuietCodeCarbon

with GpuDrivers() as drivers, Recorder() as recorder:
    meter_set = MeterSet(drivers, recorder, QuietCodeCarbon(), ())
    time.sleep(0.6)
    tally = RunningEnergy(recorder, (), time.monotonic_ns())
    opened = meter_set.open()
    time.sleep(2.0)
    window = meter_set.close(opened)
    time.sleep(0.3)
    counted = tally.advance(time.monotonic_ns())
    found = window.energy["wall:toy"]
    print(json.dumps({
        "package": bench.__file__, "domains": meter_set.domains, "absent": meter_set.absent,
        "sources": {name: used.as_mapping() for name, used in meter_set.energy_sources.items()},
        "seen_late_s": recorder.longest_gap_s(window.start_ns, window.end_ns),
        "watts": found.gross_j / window.seconds, "source": found.source,
        "counted_w": counted["wall:toy"].energy_j / counted["wall:toy"].seconds,
    }))
"""


def test_rapl_is_found_and_is_one_of_them() -> None:
    found = sources.opened()
    assert set(found.domains.values()) <= {RAPL}
    assert found.domains or "cpu" in found.absent


@pytest.fixture
def with_toy(tmp_path: Path) -> Path:
    """A copy of the package with one more file in it, and nothing else touched."""
    shutil.copytree(PACKAGE, tmp_path / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOYS / "toy_wall.py", tmp_path / "bench/meters/sources/toy_wall.py")
    (tmp_path / "tests").symlink_to(Path(__file__).parents[1])
    return tmp_path


def test_a_wall_meter_is_one_file_from_the_recorder_to_the_record(with_toy: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(with_toy)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED],
        check=False,
        cwd=with_toy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert Path(found["package"]).is_relative_to(with_toy)
    assert "wall:toy" in found["domains"]
    assert found["absent"]["wall:toy-2"] == "it does not answer"
    assert found["source"] == "toy-wall"
    assert found["sources"]["toy-wall"] == {
        "domains": ["wall:toy"],
        "gain": {"half_width": 0.015, "origin": "its data sheet"},
    }
    late = found["seen_late_s"] / 2.0  # a tick is seen so much of the window late at most
    assert found["watts"] == pytest.approx(150, rel=0.01 + late)
    assert found["counted_w"] == pytest.approx(150, rel=0.01 + late)


def test_joules_at_the_wall_are_in_no_sum_with_what_they_contain() -> None:
    assert by_scope(["gpu:a", "cpu:package-0", "wall:toy"]) == {
        "gpu": ["gpu:a"],
        "host": ["gpu:a", "cpu:package-0"],
        "wall": ["wall:toy"],
    }


@pytest.mark.parametrize(
    "wrong", [{"half_width": 0.0, "origin": "x"}, {"half_width": 1, "origin": "x"}, {"half_width": 0.1}, 3]
)
def test_a_prior_is_a_share_below_one_with_its_origin(wrong: object) -> None:
    assert GainPrior.model_validate({"half_width": 0.015, "origin": "x"}).half_width == 0.015
    with pytest.raises(ValidationError):
        GainPrior.model_validate(wrong)
