"""Verdicts of simulated comparisons whose truth is known."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from bench.compare import identity, noise, record_set
from bench.compare.comparison import Comparison, ComparisonResult, compare
from bench.compare.noise import Floor
from bench.core.provenance import CodeVersion
from bench.core.record import Record
from bench.core.recorded import RecordedEngine
from bench.core.repetition import StopInfo
from bench.store import results
from tests.compare.sides import side
from tests.support.factory import CPU, GPU, block, case, energy, record
from tests.support.sample import pair, run


def between(a: Record, b: Record, **more: Any) -> Comparison:
    """The one comparison of two records."""
    result = compare(side(a, label="a"), side(b, label="b"), **more)
    assert len(result.comparisons) == 1
    return result.comparisons[0]


def verdicts(result: ComparisonResult | Comparison) -> set[str | None]:
    """All verdicts of rows that have one."""
    comparisons = result.comparisons if isinstance(result, ComparisonResult) else (result,)
    return {row.verdict for each in comparisons for row in each.rows if row.metric.better}


@pytest.mark.parametrize("way", ["one after the other", "in turns"])
def test_equal_things_are_same_or_unclear_19_of_20_times(way: str) -> None:
    chance, calm, cases = random.Random(23), 0, 100
    for _ in range(cases):
        a, b = pair(300, 300, chance) if way == "in turns" else (run(300, chance), run(300, chance))
        calm += verdicts(between(a, b)) <= {"same", "unclear"}
    assert calm / cases >= 0.95


@pytest.mark.parametrize("way", ["one after the other", "in turns"])
def test_a_regression_of_a_tenth_is_found_20_of_20_times(way: str) -> None:
    chance, ratios = random.Random(29), []
    for _ in range(20):
        a, b = pair(300, 330, chance) if way == "in turns" else (run(300, chance), run(330, chance))
        found = between(a, b)
        assert found.verdict == "worse"
        row = found.row("energy")
        assert row is not None
        assert row.ratio is not None
        ratios.append(row.ratio.value)
        assert between(b, a).verdict == "better"
    assert fmean(ratios) == pytest.approx(1.1, rel=0.005)


def test_equal_is_shown_and_not_only_unproven() -> None:
    """Two noisy runs are unclear although no test tells them apart; two quiet ones are the same."""
    noisy = [record(blocks=[block(j) for j in (270, 330, 290, 310, 300)]) for _ in range(2)]
    assert between(*noisy).verdict == "unclear"
    quiet = [record(blocks=[block(j) for j in (299, 301, 300, 300.5, 299.5)]) for _ in range(2)]
    assert between(*quiet).verdict == "same"


def test_a_difference_within_the_floor_is_no_verdict_however_significant() -> None:
    a = record(blocks=[block(300 + i / 100) for i in range(6)])
    b = record(blocks=[block(305 + i / 100) for i in range(6)])
    row = between(a, b).row("energy")
    assert row is not None
    assert row.p is not None
    assert row.p < 1e-6
    assert row.verdict == "same"
    floors = {("1a2b3c4d", "energy"): Floor(0.05, "seen")}
    c = record(blocks=[block(312 + i / 100) for i in range(6)])
    assert between(a, c).verdict == "worse"
    assert between(a, c, floors=floors).verdict == "same"


def test_time_memory_and_power_have_their_own_directions() -> None:
    a = record(blocks=[block(300 + i, seconds=30) for i in range(6)], engine={"parameters": {}, "used": {}})
    b = record(blocks=[block(300 + i, seconds=20) for i in range(6)], engine={"parameters": {}, "used": {}})
    a.engine, b.engine = (RecordedEngine(parameters={}, used={}, memory_bytes=size) for size in (1000, 1100))
    found = between(a, b)
    by_name = {row.metric.name: row.verdict for row in found.rows}
    assert by_name == {
        "energy": "same",
        "net": "worse",
        "time": "better",
        "power": None,
        "memory": "worse",
    }
    assert any("points" in note for note in found.notes), "10 W and 15 W"


def with_peak(peak: Any, loaded: int = 1000) -> Record:
    """A record whose blocks say a peak, but for the warm-up's, which is higher and does not count."""
    engine = {"parameters": {}, "used": {}, "memory_bytes": loaded}
    said = [{"peak_memory": {"used_bytes": each, "of": "cuda-allocator"}} for each in (9000, peak, peak)]
    blocks = [block(300.0, observed=each, warmup=not at) for at, each in enumerate(said)]
    return record(blocks=blocks, engine=engine)


def test_memory_is_the_peak_of_the_work_where_both_sides_hold_one() -> None:
    found = between(with_peak(2000), with_peak(2200))
    row = found.row("memory")
    assert row is not None
    assert (row.metric.title("page"), row.a.median, row.b.median) == ("peak bytes", 2000, 2200)
    assert row.verdict == "worse"
    assert not any("memory" in note for note in found.notes)


@pytest.mark.parametrize("lacking", [None, 0, 10**400])
def test_memory_is_the_loaded_models_where_one_side_holds_no_peak_and_that_is_said(lacking: Any) -> None:
    a, b = with_peak(2000), with_peak(2000, loaded=1100)
    assert b.blocks[-1].observed.peak_memory is not None
    b.blocks[-1].observed.peak_memory.used_bytes = lacking
    found = between(a, b)
    row = found.row("memory")
    assert row is not None
    assert (row.metric.title("page"), row.verdict) == ("bytes of the model", "worse")
    assert (
        "memory: memory that the loaded model takes, since the most memory that the work took is not in B"
    ) in found.notes


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "dtype": ({"case": case(dtype="float32")}, "dtype: bfloat16, float32"),
    "weights": (
        {"case": case(weights=case()["weights"] | {"kind": "random"})},
        "weights.kind: hub, random",
    ),
    "unit": ({"case": case(unit="image")}, "unit: page, image"),
    "steps": ({"case": case(options=case()["options"] | {"new_tokens": 64})}, "options.new_tokens: 340, 64"),
    "scope": ({"blocks": [block(energies={CPU: energy(300.0)})] * 5}, "scope: gpu, host"),
    "meter": (
        {"blocks": [block(energies={GPU: energy(300.0).model_copy(update={"source": "codecarbon"})})] * 5},
        "meter: ",
    ),
    "card": ({"machine": {"id": "other", "device": "cuda"}}, "machine.card: 1a2b3c4d, other"),
    "driver": (
        {"machine": {"id": "1a2b3c4d", "device": "cuda", "driver": "580"}},
        "machine.driver: not known, 580",
    ),
    "kernel": (
        {
            "engine": {
                "parameters": {"model": 559214592},
                "dtypes": {"model": "bfloat16"},
                "used": {"attention": "eager"},
            }
        },
        "engine.used.attention: sdpa, eager",
    ),
    "torch": ({"provenance": {"libraries": {"torch": "2.13.0"}}}, "libraries.torch: 2.9.0, 2.13.0"),
}


@pytest.mark.parametrize(("changes", "says"), CASES.values(), ids=CASES)
def test_unlike_records_are_refused_and_what_differs_is_named_once(
    changes: dict[str, Any], says: str
) -> None:
    found = between(record(), record(**changes))
    assert (found.verdict, found.rows) == ("not comparable", ())
    sentences = [difference.sentence for difference in found.differences]
    assert sum(sentence.startswith(says) for sentence in sentences) == 1
    assert len({difference.key for difference in found.differences}) == len(sentences)


def test_the_power_limit_of_the_metered_card_counts_and_that_of_others_does_not() -> None:
    def machine(limit_w: float, other_w: float) -> dict[str, Any]:
        cards = [{"uuid": "GPU-0", "power_limit_w": limit_w}, {"uuid": "GPU-1", "power_limit_w": other_w}]
        return {"id": "x", "gpus": cards, "metered": ["GPU-0"]}

    base = record(machine=machine(350, 350))
    assert between(base, record(machine=machine(350, 200))).verdict != "not comparable"
    limited = between(base, record(machine=machine(250, 350)))
    assert [each.key for each in limited.differences] == ["machine.power_limit_w"]


def test_observations_trip_nothing() -> None:
    hot = {"temperature_c": {"mean": 80.0}, "sm_clock_mhz": {"mean": 900.0}}
    seen = {"gpus": {"GPU-0": hot}, "load_average_1m": 9.0}
    a = record()
    b = record(
        blocks=[block(j, observed=seen) for j in (290.0, 295.0, 300.0, 305.0, 310.0)],
        created="2027-01-01T00:00:00Z",
        provenance={"libraries": {"torch": "2.9.0", "codecarbon": "9"}, "git": {"commit": "another"}},
    )
    assert between(a, b).differences == ()


def test_what_is_meant_to_differ_may_and_is_said() -> None:
    a, b = record(), record(case=case(dtype="float32"))
    assert between(a, b).verdict == "not comparable"
    found = between(a, b, vary=["dtype"])
    assert found.verdict == "unclear"
    assert "meant to differ: dtype" in found.notes
    assert between(a, b, vary=["batch"]).verdict == "not comparable"


@pytest.mark.parametrize("status", ["invalid", "failed"])
def test_a_record_that_is_not_ok_makes_the_comparison_invalid(status: Any) -> None:
    failure = {"stage": "load", "message": "no such revision"} if status == "failed" else None
    found = between(record(), record(status=status, reasons=["foreign process"], failure=failure))
    assert (found.verdict, found.rows) == ("invalid", ())
    assert "foreign process" in found.reasons[0]
    nothing = {"blocks": [], "engine": None, "status": status, "failure": failure}
    assert between(record(), record(**nothing)).verdict == "invalid", "it has no meter to differ in"
    assert between(record(), record(**nothing, case=case(batch=2))).verdict == "not comparable"


def test_random_weights_and_quick_blocks_are_said() -> None:
    random_case = case(weights=case()["weights"] | {"kind": "random"})
    ended = StopInfo(by="target", target=0.05, max_seconds=9.0, achieved=0.01, quick=True)
    notes = " ".join(between(record(case=random_case), record(case=random_case, ended=ended)).notes)
    assert "random weights" in notes
    assert "quick" in notes


def test_pairs_take_drift_out_that_welch_would_keep() -> None:
    a, b = pair(300, 300, random.Random(1), drift=0.3, fours=6)
    in_turns = between(a, b).row("energy")
    assert in_turns is not None
    assert in_turns.ratio is not None
    assert in_turns.ratio.method == "paired t"
    apart = between(a.model_copy(update={"pair": None}), b).row("energy")
    assert apart is not None
    assert apart.ratio is not None
    assert apart.ratio.method == "Welch t"

    def width(ratio: Any) -> float:
        return float(ratio.high - ratio.low)

    assert width(in_turns.ratio) < width(apart.ratio) / 3


def test_the_sides_of_a_pair_may_be_named_in_either_order() -> None:
    a, b = pair(300, 330, random.Random(2))
    forth, back = between(a, b).row("energy"), between(b, a).row("energy")
    assert forth is not None
    assert back is not None
    assert forth.ratio is not None
    assert back.ratio is not None
    assert forth.ratio.value * back.ratio.value == pytest.approx(1.0)


def test_sides_of_two_pair_runs_are_not_taken_for_one() -> None:
    a, _ = pair(300, 300, random.Random(2), fours=1)
    _, b = pair(300, 300, random.Random(2), fours=1, created="2026-02-01T12:00:00Z")
    assert not noise.in_turns(a, b)
    assert noise.in_turns(*pair(300, 300, random.Random(2)))


def test_the_noise_floor_is_what_the_machines_own_pairs_show() -> None:
    quiet = noise.known_floors(pair(300, 300, random.Random(4), fours=20))
    loud = noise.known_floors(pair(300, 315, random.Random(4), fours=20))
    key = ("1a2b3c4d", "energy")
    assert noise.LEAST <= quiet[key].value < 0.01
    assert 0.05 < loud[key].value < 0.06
    a, b = run(300, random.Random(1)), run(300, random.Random(2))
    assert noise.floor(loud, a, HEADLINE_METRIC, turns=False).value == loud[key].value
    assert noise.floor(quiet, a, HEADLINE_METRIC, turns=True).value == quiet[key].value
    assert noise.floor(quiet, a, HEADLINE_METRIC, turns=False).value == noise.DEFAULT
    assert noise.floor({}, b, HEADLINE_METRIC, turns=True).value == noise.DEFAULT
    unlike = pair(300, 330, random.Random(4), b=case(dtype="float32"))
    assert noise.known_floors(unlike) == {}, "two cases are no A/A pair"


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ({"commit": "1"}, {"commit": "1", "dirty": True}, True),
        ({"checkout": "base", "commit": "1", "dirty": False}, {"commit": "1", "dirty": False}, True),
        ({"checkout": "base", "commit": "1", "dirty": False}, {"commit": "2", "dirty": False}, False),
        ({"checkout": "base", "commit": "1", "dirty": False}, {"commit": "1", "dirty": True}, False),
        ({"checkout": "base", "commit": None, "dirty": None}, {"commit": None, "dirty": None}, False),
    ],
)
def test_two_checkouts_are_no_measure_of_noise_unless_their_code_is_the_same(
    a: dict[str, Any], b: dict[str, Any], same: bool
) -> None:
    sides = pair(300, 315, random.Random(4), fours=20)
    for record_, git in zip(sides, (a, b), strict=True):
        record_.provenance.git = CodeVersion(**git)
    assert bool(noise.known_floors(sides)) is same
    sides[1].provenance.libraries = {"torch": "another"}
    assert bool(noise.known_floors(sides)) is ("checkout" not in a)


def test_a_repeated_run_never_raises_the_floor_that_is_to_find_it() -> None:
    assert noise.known_floors([run(300, random.Random(1)), run(330, random.Random(2))]) == {}


def test_of_several_records_of_a_case_the_newest_counts_and_that_is_said() -> None:
    old, new = record(blocks=[block(900.0)] * 5), record(created="2026-03-01T00:00:00Z")
    result = compare(side(old, new, label="a"), side(record(), label="b"))
    assert len(result.comparisons) == 1
    assert result.comparisons[0].a.record is new
    assert any("2 records" in note and "a/1.json" in note for note in result.notes)


def test_folders_are_matched_by_case_and_card_and_the_rest_is_named() -> None:
    other_card = {"id": "other", "device": "cuda"}
    large, small = case(batch=8), case(model="gpt2", batch=2)
    a = side(record(), record(machine=other_card), record(case=large, label="large"), label="a")
    b = side(record(machine=other_card), record(), record(case=small, label="small"), label="b")
    result = compare(a, b)
    cards = [(each.a.record.machine.id, each.b.record.machine.id) for each in result.comparisons]
    assert cards == [("1a2b3c4d", "1a2b3c4d"), ("other", "other")]
    assert [found.record.label for found in result.only_a] == ["large"]
    assert [found.record.label for found in result.only_b] == ["small"]


def test_a_model_whose_case_changed_is_shown_with_what_differs() -> None:
    a = side(record(), record(case=case(model="x", batch=8), label="x"), label="a")
    b = side(record(), record(case=case(model="x", batch=4), label="x"), label="b")
    unlike = [each for each in compare(a, b).comparisons if each.verdict == "not comparable"]
    assert [[difference.sentence for difference in each.differences] for each in unlike] == [["batch: 8, 4"]]


HEADLINE_METRIC = next(row.metric for row in between(record(), record()).rows if row.metric.name == "energy")


def test_a_calibration_beside_records_is_no_damaged_record(tmp_path: Path) -> None:
    calibrated = tmp_path / "calibration" / "gpu-1.json"
    calibrated.parent.mkdir()
    calibrated.write_text('{\n  "schema": "joulebench/calibration/1"\n}\n', encoding="utf-8")
    (tmp_path / "record.json").write_text(results.to_json(record()), encoding="utf-8")
    source = record_set.records_below(tmp_path)
    assert (len(source.found), source.problems) == (1, ())
    assert "not a record of this version" in record_set.records_below(calibrated).problems[0]


def test_what_is_noted_of_both_sides_is_noted_once() -> None:
    """Two records of one folder: its faults are those of either side."""
    one = replace(
        side(run(300, random.Random(1)), label="a"),
        notes=("a twin is left out",),
        problems=("x.json: not whole.",),
    )
    result = compare(one, replace(one, label="b"))
    assert result.notes.count("a twin is left out") == 1
    assert result.problems == ("x.json: not whole.",)


def test_where_a_server_wrote_its_log_makes_no_difference() -> None:
    def served(log: str) -> Record:
        used = {"server": "started", "command": "serve --port PORT", "log": log}
        return record(engine={"parameters": {}, "dtypes": {}, "used": used})

    one, other = served("logs/sv-20260101.log"), served("logs/sv-20260102.log")
    assert identity.differences(one, other) == []
