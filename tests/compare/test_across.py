"""Rankings over machines: absolute intervals, likes with likes, ratios to a reference."""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path

import pytest

from bench.compare.across import RankedRow, across
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.record import Record
from bench.core.recorded import RecordedCase
from bench.errors import UsageError
from bench.stats import uncertainty
from tests.cli.conftest import Done
from tests.compare.machines import machine, on
from tests.support.factory import CPU, block, case, energy, record
from tests.support.sample import save


def source(*records: Record) -> RecordSet:
    """Records as they would have been loaded."""
    found = tuple(StoredRecord(each, f"{n}.json", str(n)) for n, each in enumerate(records))
    return RecordSet("all", found, (), (), Path())


def names(standings: tuple[RankedRow, ...]) -> list[str]:
    """The machines in the order of a board."""
    return [one.place.machine for one in standings]


def test_machines_are_ranked_by_absolute_intervals_and_share_a_rank_where_these_overlap() -> None:
    found = across([source(on("slow", 500), on("fast", 300), on("near", 306), on("far", 900))])
    assert len(found.boards) == 1
    standings = found.boards[0].standings
    assert names(standings) == ["fast 1", "near 1", "slow 1", "far 1"]
    assert [one.rank for one in standings] == [(1, 2), (1, 2), (3, 3), (4, 4)]
    absolute = uncertainty.of(standings[0].found.record).gross
    assert absolute is not None
    assert absolute.absolute is not None
    assert standings[0].energy.low == absolute.absolute.low
    assert (300 - absolute.absolute.low) / 300 > 0.04, "the card's gain is in it"


def test_ratios_are_to_the_reference_and_hold_the_errors_of_both_machines() -> None:
    found = across([source(on("h200", 300), on("rtx", 600))], reference="H200")
    by_name = {one.place.machine: one for one in found.boards[0].standings}
    assert by_name["h200 1"].ratio is not None
    assert (by_name["h200 1"].ratio.value, by_name["h200 1"].ratio.low) == (1.0, None)
    ratio = by_name["rtx 1"].ratio
    assert ratio is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.value == pytest.approx(2.0)
    assert ratio.value**2 == pytest.approx(ratio.low * ratio.high)
    own = by_name["rtx 1"].energy
    assert own.high is not None
    assert math.log(ratio.high / 2) > 1.2 * (own.high / own.value - 1)


def test_simulated_cards_keep_their_true_order_where_the_ranking_claims_one() -> None:
    """Gains as eleven cards had them: of 20 strict orders that are claimed at most one is false."""
    chance, claims, wrong = random.Random(31), 0, 0
    for _ in range(60):
        truth = {name: chance.uniform(220, 400) for name in "ab"}
        seen = {name: value * (1 + chance.gauss(-0.019, 0.047)) for name, value in truth.items()}
        board = across([source(*(on(name, value) for name, value in seen.items()))]).boards[0]
        if board.standings[0].rank == (1, 1):
            claims += 1
            first, second = (one.place.card.removeprefix("GPU-") for one in board.standings)
            wrong += truth[first] > truth[second]
    assert claims >= 3
    assert wrong <= 0.05 * claims


def test_other_drivers_and_limits_stand_in_columns_of_their_own() -> None:
    newer = on("a", 310)
    newer.machine.driver = "590"
    found = across([source(on("a", 300), on("a", 280, limit_w=250), newer)])
    places = {(one.place.driver, one.place.limits) for one in found.boards[0].standings}
    assert places == {("driver 580", "350 W"), ("driver 580", "250 W"), ("driver 590", "350 W")}


def test_scopes_kinds_cases_and_weights_are_never_ranked_together() -> None:
    host = on("a", 300)
    host_blocks = [block(energies={CPU: energy(300.0)})] * 5
    estimated = [block(energies={CPU: energy(300.0, kind="estimated")})] * 5
    unlike = [
        on("b", 300),
        record(blocks=host_blocks, machine=machine("c")),
        record(blocks=estimated, machine=machine("d")),
        on("e", 300, case=case(weights=case()["weights"] | {"kind": "random"})),
        on("f", 300, case=case(unit="image")),
    ]
    assert sorted(len(board.standings) for board in across([source(host, *unlike)]).boards) == [1, 1, 1, 1, 2]


def test_of_one_case_and_column_the_newest_counts() -> None:
    found = across([source(on("a", 300, created="2026-02-01T00:00:00Z"), on("a", 200))])
    assert [one.energy.value for one in found.boards[0].standings] == pytest.approx([300.0])


def test_the_front_holds_what_no_other_beats_in_joules_and_time() -> None:
    found = across(
        [source(on("frugal", 300, seconds=40), on("quick", 500, seconds=20), on("worst", 600, seconds=50))]
    )
    assert {one.place.machine: one.front for one in found.boards[0].standings} == {
        "frugal 1": True,
        "quick 1": True,
        "worst 1": False,
    }


def test_what_is_on_no_board_is_named() -> None:
    found = across([source(on("a", 300), on("b", 300, status="invalid", reasons=["throttled"]))])
    assert found.left_out == ("1.json: invalid: throttled",)
    nothing = across([source(record(blocks=[]))])
    assert nothing.boards == ()
    assert "no headline" in nothing.left_out[0]


def test_one_block_has_a_value_and_no_rank() -> None:
    found = across([source(on("a", 300), record(blocks=[block(200.0)], machine=machine("b")))])
    assert [(one.energy.low is None, one.rank) for one in found.boards[0].standings] == [
        (True, None),
        (False, (1, 1)),
    ]


@pytest.mark.parametrize("wanted", ["none such", "1"])
def test_a_reference_that_is_no_machine_or_several_is_wrong_use(wanted: str) -> None:
    with pytest.raises(UsageError, match="--reference") as caught:
        across([source(on("a", 300), on("b", 300))], reference=wanted)
    assert "There are: a 1" in str(caught.value)


def typed(capsys: pytest.CaptureFixture[str], *arguments: object) -> Done:
    """A command line in this process."""
    from bench.cli import invoke

    status = invoke([str(argument) for argument in arguments])
    return Done(status, *capsys.readouterr())


def test_the_command_shows_matrix_ranking_and_legend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a" / "1.json", on("h200", 300))
    save(tmp_path / "b" / "1.json", on("rtx", 600, limit_w=450))
    done = typed(
        capsys, "compare", "--across-hardware", tmp_path / "a", tmp_path / "b", "--reference", "h200"
    )
    assert (done.status, done.err) == (0, "")
    assert "A  h200 1, driver 580, 350 W: gpu, measured" in done.out
    assert "B  rtx 1, driver 580, 450 W: gpu, measured" in done.out
    row = next(line for line in done.out.splitlines() if line.startswith("bloom-560m bfloat16 batch 1  "))
    assert row.count("±") == 2
    assert re.search(r" 2\.00 \(1\.\d\d to 2\.\d\d\)", done.out)
    asked = typed(capsys, "compare", "--across-hardware", tmp_path, "--json")
    plain = json.loads(asked.out)
    assert plain["schema"] == "joulebench/across/1"
    assert [one["rank"] for one in plain["boards"][0]["standings"]] == [[1, 1], [2, 2]]


def test_the_command_judges_nothing_and_says_what_it_could_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "1.json", on("h200", 300))
    (tmp_path / "2.json").write_text("{")
    done = typed(capsys, "compare", "--across-hardware", tmp_path)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "h200" in done.out
    for options in (("--fail-on", "energy:5%"), ("--strict",), ("--vary", "dtype")):
        assert typed(capsys, "compare", "--across-hardware", tmp_path, *options).status == 2
    assert typed(capsys, "compare", tmp_path, tmp_path, "--reference", "x").status == 2


def test_a_toy_is_ranked_nowhere() -> None:
    toy = on("fast", 3).model_copy(update={"case": RecordedCase(**case(model="tiny-bloom", toy=True))})
    found = across([source(toy, on("slow", 500))])
    assert [board.label for board in found.boards] == [on("slow", 500).label]
    assert len(found.left_out) == 1
    assert "a toy model" in found.left_out[0]
