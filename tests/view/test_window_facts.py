"""How a record's windows were cut, as `show` and the report say it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.core.block import Block
from bench.core.energy import DomainEnergy
from bench.core.figures import Estimate, NeighbourFigures
from bench.core.record import Record
from bench.core.repetition import BlockLength, StopInfo
from bench.core.side_by_side import CaseBeside, SideBySide
from bench.view import terminal, window_facts
from bench.view.record import sections
from tests.support.factory import GPU, block, energy, record

OTHER_GPU = GPU.replace("GPU-0", "GPU-1")


def cut(own_u_j: float, common_u_j: float) -> DomainEnergy:
    return energy(300.0).model_copy(
        update={"edge_u_j": (own_u_j**2 + common_u_j**2) ** 0.5, "edge_common_u_j": common_u_j}
    )


def ended(block_length: BlockLength | None) -> Record:
    return record(
        ended=StopInfo(by="target", target=0.02, max_seconds=900.0, achieved=0.01, block=block_length)
    )


def test_a_chosen_length_names_what_asked_for_it_longest_first() -> None:
    chosen = BlockLength(seconds=5.25, asked=False, demands_s={"least": 1.0, "rest": 5.25, "ticks": 2.04})
    assert (
        window_facts.block_length(ended(chosen))
        == "at least 5.25 s, chosen (rest 5.2 s, ticks 2 s, least 1 s)"
    )


def test_an_asked_length_is_said_to_be_and_an_unknown_one_is_not_told() -> None:
    assert (
        window_facts.block_length(ended(BlockLength(seconds=30.0, asked=True))) == "at least 30 s, as asked"
    )
    assert window_facts.block_length(ended(None)) is None
    assert window_facts.block_length(record(ended=None)) is None


@pytest.mark.parametrize(
    ("energies", "expected"),
    [
        ({GPU: cut(3.0, 0.0)}, 1.96 * 3 / 300),
        ({GPU: cut(3.0, 4.0)}, 1.96 * 5 / 300),
        ({GPU: cut(3.0, 0.0), OTHER_GPU: cut(4.0, 0.0)}, 1.96 * 5 / 600),
        ({GPU: cut(3.0, 0.0), OTHER_GPU: energy(None, reason="lost")}, None),
        ({GPU: energy(300.0)}, None),
        ({"cpu:package-0": energy(300.0)}, None),
    ],
)
def test_what_the_edges_leave_is_told_of_all_cards_together_or_not_at_all(
    energies: dict[str, DomainEnergy], expected: float | None
) -> None:
    found = window_facts.edge_half_width(block(energies=energies))
    assert found == (None if expected is None else pytest.approx(expected))


def delayed(**told: object) -> Block:
    return block(observed={"counter_delay": {GPU: told}})


def test_the_last_block_that_tells_a_delay_counts() -> None:
    first = delayed(delay_s=0.0, u_s=0.03, starts=0, known=False, how="no clear start from rest")
    last = delayed(delay_s=0.0513, u_s=0.002, starts=12, known=True, how="from the starts of work")
    assert window_facts.counter_delays(record(blocks=[first])) == {
        GPU: "not known, taken as 0 ms ± 59 ms (no clear start from rest)"
    }
    assert window_facts.counter_delays(record(blocks=[first, last, block()])) == {
        GPU: "51 ms ± 3.9 ms (from the starts of work)"
    }


@pytest.mark.parametrize(
    "told", [{}, {GPU: {}}, {GPU: {"delay_s": 0.1}}, {GPU: {"delay_s": None, "u_s": 0.1}}]
)
def test_a_delay_without_its_uncertainty_is_not_told(told: object) -> None:
    assert window_facts.counter_delays(record(blocks=[block(observed={"counter_delay": told})])) == {}


def beside(**changes: Any) -> Record:
    found = record()
    power_w = Estimate(value=412.4, low=411.0, high=414.0, n=5)
    whole: dict[str, Any] = {"cards": 6, "busy": 0, "power_w": power_w}
    found.figures.neighbours = NeighbourFigures(**whole | changes)
    return found


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "6 idle neighbours: 412 W, not in the sum"),
        ({"cards": 1}, "1 idle neighbour: 412 W, not in the sum"),
        ({"busy": 2}, "6 neighbours, 2 of them at work: 412 W, not in the sum"),
        ({"busy": None}, "6 neighbours: 412 W, not in the sum"),
        (
            {"of_other_cases": 2},
            "6 idle neighbours: 412 W, not in the sum (2 cards of other cases of the run left out)",
        ),
        (
            {"cards": 0, "power_w": None, "of_other_cases": 1, "reason": "at work"},
            "1 card of other cases of the run, not counted as idle",
        ),
        ({"power_w": None, "reason": "GPU-a: lost"}, "6 idle neighbours: power not known (GPU-a: lost)"),
        (
            {"power_w": None, "reason": "GPU-a: lost", "of_other_cases": 2},
            "6 idle neighbours: power not known (GPU-a: lost) (2 cards of other cases of the run left out)",
        ),
    ],
)
def test_neighbours_are_told_apart_from_the_sum(changes: dict[str, Any], told: str) -> None:
    assert window_facts.neighbours(beside(**changes)) == told
    assert told in " ".join(terminal.text(sections(beside(**changes))).split())
    assert window_facts.neighbours(record()) is None


def met(label: str, overlap_s: float) -> CaseBeside:
    return CaseBeside(label=label, cards=("GPU-1",), start_ns=1, end_ns=None, overlap_s=overlap_s)


@pytest.mark.parametrize(
    ("beside", "cases", "told"),
    [
        (
            (met("b", 70.0),),
            1,
            "1 other case of the run was at work during its blocks, on up to 2 other cards: b for 1 min 10 s",
        ),
        (
            tuple(met(name, 10.0 * at) for at, name in enumerate("bcdef", start=1)),
            5,
            "5 other cases of the run were at work during its blocks, on up to 2 other cards: "
            "f for 50 s; e for 40 s; d for 30 s; 2 more",
        ),
        ((), 0, "no other case of the run was at work during its blocks; 2 other cards could be used"),
        (
            None,
            3,
            "3 other cases in the run, on up to 2 other cards; "
            "this older record does not have which were at work",
        ),
    ],
)
def test_cases_side_by_side_are_those_that_were_at_work(
    beside: tuple[CaseBeside, ...] | None, cases: int, told: str
) -> None:
    found = record()
    found.side_by_side = SideBySide(cases=cases, cards=("GPU-1", "GPU-2"), beside=beside)
    assert window_facts.side_by_side(found) == told
    assert told in " ".join(terminal.text(sections(found)).split())


def test_replicas_are_told_with_how_evenly_they_worked() -> None:
    seen = [
        block(observed={"replicas": {"items": [4, 4, 4, 4], "uneven_share": share}})
        for share in (0.01, 0.014)
    ]
    assert window_facts.replicas(record(blocks=seen)) == "4 at once; in 1.2 % of the time not all worked"
    assert window_facts.replicas(record()) is None
