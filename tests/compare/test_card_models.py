"""Machines grouped by card model: the planted spread between like cards, ranks, and 48 machines."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from scipy.stats import binom

from bench.cli import invoke
from bench.compare.across import AcrossMachines, across
from bench.compare.card_models import LESS_THAN_BLOCKS, ONE_CARD, LikeCards, card_models
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.record import Record
from bench.view import across as view
from bench.view import terminal
from tests.compare.machines import on
from tests.support.factory import block
from tests.support.rack import MACHINES, SPREAD, rack, save


def found(records: Iterator[Record], reference: str | None = None) -> AcrossMachines:
    """Records side by side, as they would have been loaded."""
    stored = tuple(StoredRecord(each, f"{n}.json", str(n)) for n, each in enumerate(records))
    return across([RecordSet("all", stored, (), (), Path())], reference)


def by_name(groups: tuple[LikeCards, ...]) -> dict[str, LikeCards]:
    """Groups by their cards' name, without the maker."""
    return {each.model.name.removeprefix("NVIDIA "): each for each in groups}


def test_twelve_machines_are_four_models_and_one_card_has_a_reason_for_no_spread() -> None:
    groups = by_name(card_models(found(rack(random.Random(1), cases=1)).boards[0]))
    assert {name: len(each.rows) for name, each in groups.items()} == MACHINES
    assert (groups["RTX 4090"].spread, groups["RTX 4090"].reason) == (None, ONE_CARD)
    for name in ("H100 80GB HBM3", "H200", "A100-SXM4-80GB"):
        spread = groups[name].spread
        assert spread is not None
        assert spread.cards == MACHINES[name]
        assert spread.low <= SPREAD <= spread.high
        assert groups[name].reason is None


def test_the_planted_spread_is_in_its_interval_as_often_as_that_states() -> None:
    """Records of like cards, through budgets and groups, over forty seeds."""
    trials, covered, points = 40, 0, []
    for seed in range(trials):
        (group,) = card_models(found(rack(random.Random(seed), {"H200": 6}, cases=1)).boards[0])
        assert group.spread is not None
        points.append(group.spread.value**2)
        covered += group.spread.low <= SPREAD <= group.spread.high
    assert covered >= binom.ppf(1e-3, trials, 0.95)
    assert math.sqrt(sum(points) / trials) == pytest.approx(SPREAD, rel=0.15)


def test_cards_that_differ_less_than_their_blocks_have_no_spread() -> None:
    (group,) = card_models(found(iter([on("a", 300), named(on("b", 300), "a")])).boards[0])
    assert (group.spread, group.reason) == (None, LESS_THAN_BLOCKS)


def named(record: Record, card: str, **facts: Any) -> Record:
    """A record whose card has that name."""
    for key, value in ({"name": card} | facts).items():
        setattr(record.machine.gpus[0], key, value)
    return record


def test_other_limits_are_another_model_and_one_card_in_two_states_is_one_card() -> None:
    newer = named(on("a", 330, created="2026-02-02T00:00:00Z"), "a")
    newer.machine.driver = "590"
    records = [on("a", 300), newer, named(on("b", 310), "a"), named(on("c", 280), "a", power_limit_w=250.0)]
    groups = card_models(found(iter(records)).boards[0])
    assert {each.model.limits: len(each.rows) for each in groups} == {"250 W": 1, "350 W": 2}
    (alike,) = [each for each in groups if each.model.limits == "350 W"]
    assert [row.energy.value for row in alike.rows] == pytest.approx([310.0, 330.0]), "the newest of card a"


def test_a_card_with_one_block_is_in_the_mean_and_not_in_the_spread() -> None:
    single = named(on("c", 320), "a")
    single = single.model_copy(update={"blocks": [block(320.0)]})
    single.figures.uncertainty = None
    records = [on("a", 300), named(on("b", 330), "a"), single]
    (group,) = card_models(found(iter(records)).boards[0])
    assert group.spread is not None
    assert (len(group.rows), group.spread.cards) == (3, 2)
    assert group.energy.low is None, "a mean over a card without an interval has none"


def test_a_mean_of_like_cards_keeps_what_they_may_share() -> None:
    """NVML's gain is not averaged away: twenty cards are known as well as one, within what they differ by."""
    (many,) = card_models(found(rack(random.Random(2), {"H200": 20}, spread=0.0, cases=1)).boards[0])
    (one,) = card_models(found(rack(random.Random(2), {"H200": 1}, spread=0.0, cases=1)).boards[0])
    assert many.energy.low is not None
    assert one.energy.low is not None
    assert 1 - many.energy.low / many.energy.value == pytest.approx(
        1 - one.energy.low / one.energy.value, rel=0.15
    )


def test_ratios_are_to_a_card_model_where_the_words_fit_all_of_its_machines() -> None:
    groups = by_name(card_models(*reference("h200")))
    assert groups["H200"].ratio is not None
    assert groups["H200"].ratio.value == 1.0
    ratio = groups["A100-SXM4-80GB"].ratio
    assert ratio is not None
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low < 2.0 < ratio.high
    assert (groups["H200"].rank, groups["A100-SXM4-80GB"].rank) == ((1, 2), (3, 4))


def reference(words: str) -> tuple[Any, Any]:
    """A ranking of twelve machines, and the model that the words fit."""
    all_of_them = found(rack(random.Random(1), cases=1), words)
    return all_of_them.boards[0], all_of_them.reference_model


MODELS = tuple(f"RTX {number}000 Ada Generation Laptop" for number in range(1, 13))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("each_machine", [False, True])
def test_every_line_of_48_machines_fits_the_terminal(width: int, each_machine: bool) -> None:
    shown = found(rack(random.Random(3), dict.fromkeys(MODELS, 4)))
    lines = list(terminal.lines(view.sections(shown, each_machine=each_machine), terminal.Room(width, width)))
    assert max(map(cell_len, lines)) <= width
    whole = "\n".join(lines)
    for model in MODELS:
        assert whole.count(model.split()[1]) >= 3, "in the legend and in both rankings"
    assert ("00000003" in whole) == each_machine


def test_the_command_groups_like_cards_and_lists_machines_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path, rack(random.Random(1)))
    asked = ["compare", "--across-hardware", str(tmp_path)]
    assert invoke(asked) == 0
    grouped = capsys.readouterr().out
    assert "NVIDIA H100 80GB HBM3, 700 W: 5 machines, driver 580.95" in grouped
    assert grouped.count("one card") == 2
    assert invoke([*asked, "--each-machine"]) == 0
    assert "between cards" not in capsys.readouterr().out
    assert invoke([*asked, "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["boards"][0]["card_models"]
    assert {each["card_model"]: each["between_cards_absent"] for each in models}[
        "NVIDIA RTX 4090"
    ] == ONE_CARD
    assert invoke([*asked, "--each-machine", "--reference", "h200"]) == 2
    assert "fits several machines" in capsys.readouterr().err
    assert invoke(["compare", str(tmp_path), str(tmp_path), "--each-machine"]) == 2
