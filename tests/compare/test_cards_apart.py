"""Rows of the same case on two cards of one machine have unlike names; advice beside wide intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.compare import unsteady
from bench.compare.across import across
from bench.compare.cards_apart import cards_apart
from bench.compare.comparison import compare
from bench.compare.gate import Judged
from bench.compare.record_row import flat
from bench.compare.record_set import StoredRecord
from bench.core.figures import ServedFigures
from bench.core.observed import Observed
from bench.core.record import Record
from bench.exports.junit import junit
from bench.stats.restarts import restart_figures
from bench.store import results as store
from bench.view import comparison, results, terminal
from bench.view.content import Section
from bench.view.documents import across as across_document
from bench.view.short_names import short_labels
from tests.compare.sides import side
from tests.support import own_windows
from tests.support.factory import block, record, served_window

HISTORY = Path(__file__).parents[1] / "store" / "history"


def on_cards(*indices: int, machine: str = "Box", **more: Any) -> Record:
    """A record of some of four cards of a machine."""
    gpus = [
        {"index": index, "uuid": f"GPU-{machine}-{index}", "name": "NVIDIA H200", "power_limit_w": 700.0}
        for index in range(4)
    ]
    metered = [f"GPU-{machine}-{index}" for index in indices]
    facts = {"name": machine, "id": machine, "device": "cuda", "gpus": gpus, "metered": metered}
    return record(machine=facts, **more)


def test_cards_are_named_where_rows_would_be_alike_and_only_there() -> None:
    records = [on_cards(0), on_cards(1, 3), on_cards(2), on_cards(0, machine="Other")]
    assert cards_apart(["a", "a", "b", "a"], records) == ["GPU 0", "GPU 1, 3", "", ""]
    assert cards_apart(["a", "a"], [on_cards(0), on_cards(0)]) == ["", ""]


def test_rows_of_a_run_and_their_sentences_name_the_card() -> None:
    shown = " ".join(terminal.text([results.section([on_cards(0), on_cards(1)])]).split())
    assert "bloom-560m on Box, GPU 0: 300" in shown
    assert "bloom-560m on Box, GPU 1: 300" in shown
    assert "340 tokens · GPU 1 " in shown
    apart = " ".join(terminal.text([results.section([on_cards(0), on_cards(0, machine="Rack")])]).split())
    assert "340 tokens · Rack " in apart
    assert "GPU" not in apart.partition("J gross: mean")[0], "the machine is enough"


def test_short_labels_of_one_machine_name_the_card() -> None:
    found = side(on_cards(0), on_cards(1)).found
    assert list(short_labels(found).values()) == ["bloom-560m · Box GPU 0", "bloom-560m · Box GPU 1"]


def test_comparisons_of_one_case_on_two_cards_have_titles_of_their_own() -> None:
    result = compare(side(on_cards(0), on_cards(1)), side(on_cards(0), on_cards(1)))
    titles = [part.title for part in comparison.sections(result, Judged((), 0)) if isinstance(part, Section)]
    label = "bloom-560m bfloat16 batch 1"
    assert titles[:2] == [f"{label}, GPU 0: unclear", f"{label}, GPU 1: unclear"]
    assert junit(result).decode().count(f'classname="{label}, GPU 1"') > 0


def test_a_ranking_names_the_cards_of_one_machine() -> None:
    found = across([side(on_cards(0), on_cards(1), on_cards(0, machine="Other"))])
    (board,) = found.boards
    assert sorted(one.place.named for one in board.standings) == ["Box, GPU 0", "Box, GPU 1", "Other"]
    rows = across_document.document(found)["boards"][0]["standings"]
    assert sorted((row["machine"], row["card"]) for row in rows) == [
        ("Box", "GPU-Box-0"),
        ("Box", "GPU-Box-1"),
        ("Other", "GPU-Other-0"),
    ]


def test_a_row_has_the_facts_of_several_cards() -> None:
    found = on_cards(1, 3, side_by_side={"cases": 2, "cards": ["GPU-Box-0"]})
    found.case.replicas = 2
    row = flat(StoredRecord(found, "a.json", "d1"))
    assert (row["cards"], row["card_names"], row["card_indices"]) == (2, "2 × NVIDIA H200", "1, 3")
    assert (row["replicas"], row["side_by_side"]) == (2, 2)
    assert (row["neighbours"], row["neighbours_power_w"], row["nodes"], row["roles"]) == (None,) * 4
    plain = flat(StoredRecord(record(), "b.json", "d2"))
    assert (plain["cards"], plain["card_names"], plain["replicas"], plain["side_by_side"]) == (0, None, 1, 0)


@pytest.mark.parametrize(
    ("one", "other", "way_out"),
    [
        (on_cards(0), on_cards(0), unsteady.IN_TURNS),
        (on_cards(0), on_cards(1), unsteady.MORE_BLOCKS),
    ],
)
def test_the_way_out_of_wide_intervals_is_possible(one: Record, other: Record, way_out: str) -> None:
    assert unsteady.note(one, other) == f"{unsteady.SEEN} {way_out}"


def test_no_turns_are_advised_for_nodes_starts_and_programs() -> None:
    over_nodes = store.read(HISTORY / "1-nodes.json")
    assert over_nodes.machine.nodes
    assert unsteady.note(over_nodes, over_nodes).endswith(unsteady.MORE_BLOCKS)
    starts = [block(300.0 + n, observed=Observed(served=served_window(n // 2))) for n in range(4)]
    restarted = record()
    restarted.figures.served = ServedFigures(restarts=restart_figures(starts))
    assert restarted.figures.served.restarts
    assert unsteady.note(restarted, restarted).endswith(unsteady.MORE_STARTS)
    program = own_windows.result(300.0)
    assert unsteady.note(program, program).endswith(unsteady.COMMANDS_IN_TURNS)
