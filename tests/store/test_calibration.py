"""A calibration as it is stored, and what it changes in the budget of a record that holds it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bench.core.budget import Budget, BudgetInput
from bench.core.calibration import PowerField
from bench.core.record import Record
from bench.errors import RecordError
from bench.stats import uncertainty
from bench.store import calibration, results
from tests.store.calibrations import UUID, counter, known, line, sample
from tests.support.factory import GPU, record


def gross(found: Record) -> Budget:
    budget = uncertainty.of(found).gross
    assert budget is not None
    return budget


def named(budget: Budget, name: str) -> BudgetInput:
    (found,) = [each for each in budget.inputs if each.name == name]
    return found


# ---------------------------------------------------------------- stored


def test_it_comes_back_from_its_file_and_no_glob_of_records_finds_it(tmp_path: Path) -> None:
    found = known(line=line())
    path = calibration.save(tmp_path / "m", found)
    assert path == tmp_path / "m" / "calibration" / f"{UUID.lower()}.json"
    assert calibration.load(tmp_path / "m", UUID) == found
    assert calibration.load(tmp_path / "m", "GPU-another") is None
    assert list(tmp_path.glob("*/*.json")) == []


@pytest.mark.parametrize("text", ["", "{", "{}", "\xff", '{"schema": "joulebench/calibration/2"}'])
def test_a_damaged_file_is_an_error_with_the_way_out(text: str, tmp_path: Path) -> None:
    path = calibration.path_of(tmp_path, UUID)
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordError, match="is not a calibration") as caught:
        calibration.load(tmp_path, UUID)
    assert caught.value.remedy == "Calibrate again, or remove the file."


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("a file")
    with pytest.raises(RecordError, match="cannot be written"):
        calibration.save(tmp_path / "m", known())


def test_what_a_run_takes_from_it() -> None:
    assert known(counter=counter(0.25)).block_seconds_at_least() == pytest.approx(30.0)
    assert known(counter=counter(None)).block_seconds_at_least() == pytest.approx(30.0)
    assert known().block_seconds_at_least() is None
    assert (known().share_seen, known().sensor_period_s) == (1.0, 0.1)
    power = PowerField(update_s=0.1, window_s=0.025, delay_s=0.075, share_seen=0.25, unexplained=0.0)
    without = known(counter=None, power_instant=power)
    assert (without.block_seconds_at_least(), without.share_seen) == (None, 0.25)
    assert without.sensor_period_s == 0.1
    assert known(counter=None).sensor_period_s is None


# ---------------------------------------------------------------- gain and offset


def test_absolute_is_corrected_and_narrower_and_the_figure_stays() -> None:
    before, after = gross(sample(None)), gross(sample(known(line=line())))
    assert before.absolute is not None
    assert after.absolute is not None
    assert after.value == before.value == 9000.0
    assert after.same_card is not None
    assert after.same_card.value == 9000.0
    assert after.absolute.value == pytest.approx(9000 / 1.05)
    assert after.correction_j == pytest.approx(9000 / 1.05 - 9000)
    assert (before.correction_j, before.absolute.value) == (None, 9000.0)
    wide, narrow = before.absolute.relative_half_width, after.absolute.relative_half_width
    assert wide is not None
    assert narrow is not None
    assert narrow < 0.3 * wide
    gain = named(after, "sensor gain, calibrated")
    assert (gain.enters, gain.distribution, gain.assumed) == (["absolute"], "normal", False)
    assert gain.relative == pytest.approx(0.0083 / 1.05, rel=0.05)
    assert "corrected by -4.76%" in gain.source
    assert named(after, "offset at other power").enters == []
    assert "sensor gain" not in {each.name for each in after.inputs}


def test_an_offset_is_taken_off_gross_and_cancels_in_net() -> None:
    found = uncertainty.of(sample(known(line=line(1.05, 6.0))))
    assert found.gross is not None
    assert found.gross.absolute is not None
    assert found.gross.absolute.value == pytest.approx((9000 - 6 * 30) / 1.05)
    assert found.net is not None
    assert found.net.absolute is not None
    assert found.net.absolute.value == pytest.approx((9000 - 60 * 30) / 1.05)


def test_a_gain_without_offset_keeps_the_offsets_line() -> None:
    budget = gross(sample(known(line=line(1.05, None, reason="one number gives no offset"))))
    assert named(budget, "offset at other power").enters == ["absolute"]
    assert budget.absolute is not None
    assert budget.absolute.value == pytest.approx(9000 / 1.05)


def test_beyond_the_powers_of_the_line_the_offsets_line_stays() -> None:
    budget = gross(sample(known(line=line(to_w=250.0))))
    assert named(budget, "offset at other power").enters == ["absolute"]


def test_an_offset_above_what_was_read_corrects_nothing() -> None:
    budget = gross(sample(known(line=line(1.05, 400.0))))
    assert budget.correction_j is None
    assert named(budget, "sensor gain").enters == ["absolute"]


def test_a_calibrated_cards_interval_holds_the_truth() -> None:
    """A card that errs as cards do, a reference that errs as it says: true joules in 93 % or more."""
    chance, held, cases = random.Random(3), 0, 400
    for _ in range(cases):
        gain = chance.gauss(0.981, 0.047)
        seen = gain * (1 + chance.gauss(0, 0.006)) * (1 + chance.gauss(0, 0.006))
        made = sample(known(line=line(seen)))
        for each in made.blocks:
            read_j = 9000 * gain * (1 + chance.gauss(0, 0.005))
            each.energy[GPU] = each.energy[GPU].model_copy(update={"gross_j": read_j})
        made = made.model_copy(update={"figures": record(blocks=made.blocks).figures})
        absolute = gross(made).absolute
        assert absolute is not None
        held += absolute.low <= 9000 <= absolute.high
    assert held >= 0.93 * cases


# ---------------------------------------------------------------- how the sensor sees


def test_a_counter_seen_to_see_everything_has_no_part_time_line() -> None:
    by_name = named(gross(sample(None)), "part-time sensor")
    assert (by_name.enters, by_name.assumed) == (["same_card", "absolute"], True)
    seen = named(gross(sample(known())), "part-time sensor")
    assert (seen.enters, seen.reason) == ([], "the sensor was seen to see all the time")


def test_a_share_that_was_found_goes_before_the_name() -> None:
    found = named(gross(sample(known(counter=counter(0.25)), name="NVIDIA L40S")), "part-time sensor")
    assert (found.enters, found.assumed) == (["same_card", "absolute"], False)
    assert found.standard_uncertainty == pytest.approx(0.05 / (30 * 5) ** 0.5)
    assert found.source.endswith("calibrated: 25% of every 100 ms")
    half = named(gross(sample(known(counter=counter(0.5)))), "part-time sensor")
    assert half.standard_uncertainty == pytest.approx(0.05 / (30 * 5) ** 0.5 / 3**0.5)


def test_a_share_that_was_not_told_leaves_the_name() -> None:
    told = known(counter=counter(None).model_copy(update={"reason": "it did not follow"}))
    assert named(gross(sample(told)), "part-time sensor").assumed


def test_power_that_is_added_up_is_late_by_what_was_seen() -> None:
    power = PowerField(update_s=0.1, window_s=0.1, delay_s=0.05, share_seen=1.0, unexplained=0.0)
    budget = gross(sample(known(counter=None, power_instant=power), "power-integration-instant"))
    found = named(budget, "delay of power")
    assert found.standard_uncertainty == pytest.approx(0.1 / 3**0.5)
    assert not found.assumed
    assert named(gross(sample(None, "power-integration-instant")), "delay of power").assumed
    average = gross(sample(known(counter=None, power_instant=power), "power-integration-average"))
    assert named(average, "delay of power").assumed, "nothing was found of that reading"


def test_a_record_with_a_damaged_calibration_is_refused_with_its_place() -> None:
    raw = json.loads(results.to_json(sample(known())))
    raw["machine"]["calibration"][UUID]["counter"] = {"tick_s": "x"}
    with pytest.raises(RecordError, match=rf"machine\.calibration\.{UUID}\.counter\.tick_s: "):
        results.from_json(json.dumps(raw), "a.json")


def test_a_budget_with_a_correction_is_stored_and_comes_back() -> None:
    found = uncertainty.of(sample(known(line=line())))
    assert type(found).model_validate(json.loads(found.model_dump_json())) == found
