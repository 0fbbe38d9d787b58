"""Windows of cards whose sensor sees part of the time: rests, and what a calibration of the card changes."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import bench
from bench.core.energy_result import EnergyResult
from bench.errors import UsageError
from bench.machine import provenance
from bench.measurement.api.rules import RULES
from bench.meters import edges
from bench.meters.gpus import GpuDrivers
from bench.store import calibration
from bench.store.results import slug
from tests.standin import StandIn
from tests.store.calibrations import known

UUID = "GPU-00000000-0000-4000-8000-000000000000"


def metered(results: Path) -> EnergyResult:
    """One window of card 0, at 100 W, that rests before each of its batches."""
    with bench.Meter(unit="image", gpus="0", idle_seconds=0, results=results) as meter:
        with meter.window(units=3) as window:
            for _ in range(3):
                window.rest()
                time.sleep(0.2)
        return meter.result()


def folder(results: Path) -> Path:
    with GpuDrivers() as drivers:
        return results / slug(str(provenance.machine(drivers).name))


def test_rests_are_taken_where_the_sensor_is_not_known_and_their_joules_are_no_work(
    with_gpus: StandIn, tmp_path: Path
) -> None:
    (block,) = metered(tmp_path).blocks
    assert 0 < block.rest_s < 0.2 < block.work_s
    (energy,) = [energy for name, energy in block.energy.items() if name == f"gpu:{UUID}"]
    assert energy.rests_j == pytest.approx(100 * block.rest_s, rel=0.1)
    assert energy.gross_j == pytest.approx(100 * block.work_s, rel=0.1)


def test_a_card_that_was_found_to_see_everything_is_given_no_rests(
    with_gpus: StandIn, tmp_path: Path
) -> None:
    calibration.save(folder(tmp_path), known(uuid=UUID))
    result = metered(tmp_path)
    assert [block.rest_s for block in result.blocks] == [0.0]
    assert set(result.machine.calibration) == {UUID}
    assert "calibration" not in result.absent
    assert result.figures.uncertainty is not None
    assert result.figures.uncertainty.gross is not None
    (line,) = [each for each in result.figures.uncertainty.gross.inputs if each.name == "part-time sensor"]
    assert line.reason == "the sensor was seen to see all the time"


def test_a_calibration_of_another_driver_is_left_out_and_said_so(with_gpus: StandIn, tmp_path: Path) -> None:
    calibration.save(folder(tmp_path), known(uuid=UUID, driver="1.2.3"))
    result = metered(tmp_path)
    assert result.machine.calibration == {}
    assert "it is of driver 1.2.3" in result.absent["calibration"]


def test_an_empty_window_is_too_short_and_nothing_else(
    with_gpus: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edges, "edge_curves", lambda *_: None)  # no move of the counter counts after the work
    with bench.measure(units=1, gpus="0", idle_seconds=0, results=tmp_path) as window:
        pass
    assert window.energy_j is None
    (reason,) = window.reasons
    assert re.match(r"too short: it lasted \S+ s \(limit 0.1 s\), and gpu:\S+ gave no reading", reason)
    assert reason.endswith("the window is too short to be metered. Put more work into it.")


def test_reasons_name_what_a_program_can_do() -> None:
    told = " ".join(rule.remedy for rule in RULES if rule.name not in {"few words", "wrong output"})
    assert "--" not in told
    assert "`python -m bench doctor` lists" in told


def test_a_rest_outside_of_a_window_is_refused(with_gpus: StandIn, tmp_path: Path) -> None:
    window = bench.measure(gpus="0", idle_seconds=0, results=tmp_path)
    with pytest.raises(UsageError, match="part of an open window"):
        window.rest()
