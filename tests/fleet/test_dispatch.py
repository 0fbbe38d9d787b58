"""Cases reach machines that can make them, once each; what a lost machine had begins anew elsewhere."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bench.fleet.dispatch import MOST_LOSSES, DispatchBoard
from bench.fleet.node import NodeFacts


def facts(name: str, refuses: set[int] | None = None, measured: set[int] | None = None) -> NodeFacts:
    """A machine that refuses and has measured these cases."""
    refusals = dict.fromkeys(refuses or set(), "it needs 80 GB")
    return NodeFacts(name, ("a card",), "0.1", "s", refusals, frozenset(measured or set()))


def test_a_case_goes_where_it_can_be_made_and_what_was_measured_where_its_record_is() -> None:
    board = DispatchBoard(3, {"small": facts("small", {0}), "large": facts("large", measured={2})})
    assert board.next_case("large") == 0, "a case that no other machine may take comes first"
    assert board.next_case("large") is None, "one case at a time"
    assert board.next_case("small") == 1
    assert (board.done("large"), board.done("small")) == (0, 1)
    assert board.next_case("small") is None
    assert board.next_case("large") == 2
    assert board.done("large") == 2
    assert board.finished
    assert board.given_up == {}


def test_a_case_that_no_machine_can_make_is_given_up_with_every_reason() -> None:
    board = DispatchBoard(1, {"a": facts("a", {0}), "b": facts("b", {0})})
    assert board.finished
    assert board.given_up == {0: "a: it needs 80 GB; b: it needs 80 GB"}


def test_a_lost_machines_case_starts_anew_elsewhere_and_is_given_up_after_the_second_loss() -> None:
    board = DispatchBoard(1, {name: facts(name) for name in "abc"})
    assert board.next_case("a") == 0
    assert board.lost("a") == 0
    assert board.next_case("a") is None
    assert board.next_case("b") == 0
    board.lost("b")
    assert board.finished
    assert board.given_up == {0: f"{MOST_LOSSES} machines were lost while they measured it"}


def test_every_machine_measures_every_case_where_asked() -> None:
    board = DispatchBoard(2, {"a": facts("a"), "b": facts("b", measured={0})}, every_node=True)
    taken = {node: board.next_case(node) for node in "ab"}
    assert taken == {"a": 0, "b": 0}
    board.done("a")
    assert board.next_case("a") == 1
    board.done("b")
    assert board.next_case("b") == 1
    board.lost("b")
    board.done("a")
    assert board.finished
    assert board.given_up == {1: "b: it was lost while it measured"}


def test_a_case_that_cannot_begin_is_tried_once_on_each_other_machine() -> None:
    board = DispatchBoard(2, {"bad": facts("bad"), "good": facts("good"), "unfit": facts("unfit", {0, 1})})
    for case in (0, 1):
        assert board.next_case("bad") == case
        assert board.failed("bad", "its card is used") == case
    assert board.next_case("bad") is None, "it has tried both"
    assert board.next_case("good") == 0
    board.done("good")
    assert board.next_case("good") == 1
    board.failed("good", "no space is left")
    assert board.finished
    assert board.given_up == {1: "bad: its card is used; good: no space is left"}


def test_a_failure_and_a_loss_are_both_named_where_every_machine_measures() -> None:
    board = DispatchBoard(1, {"a": facts("a"), "b": facts("b")}, every_node=True)
    assert (board.next_case("a"), board.next_case("b")) == (0, 0)
    board.failed("a", "its card is used")
    board.lost("b")
    assert board.finished
    assert board.given_up == {0: "a: its card is used; b: it was lost while it measured"}


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_lost_each_case_is_measured_once_or_given_up(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"node-{number}" for number in range(rng.randint(1, 5))]
    nodes = {name: facts(name, {c for c in range(20) if rng.random() < 0.2}) for name in names}
    board, done = DispatchBoard(20, dict(nodes)), Counter[int]()
    for _ in range(1000):
        if board.finished:
            break
        node = rng.choice(names)
        if node in board.busy:
            if rng.random() < 0.1:
                board.lost(node)
            elif rng.random() < 0.1:
                board.failed(node, "its card is used")
            else:
                done[board.done(node)] += 1
        elif (case := board.next_case(node)) is not None:
            assert case not in nodes[node].refusals
    assert board.finished
    assert set(done) | set(board.given_up) == set(range(20))
    assert not set(done) & set(board.given_up)
    assert set(done.values()) <= {1}
