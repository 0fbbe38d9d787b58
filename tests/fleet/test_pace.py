"""A slow node is remarked on beside others, once and at each doubling; nobody is slow without a measure."""

from __future__ import annotations

import pytest

from bench.fleet.pace import FEWEST_ENDED, SLOW, Pace


def paced(*took_s: float) -> Pace:
    """A pace after cases on node a that took these seconds."""
    pace = Pace()
    for case, seconds in enumerate(took_s):
        pace.begins("a", case, 0.0)
        assert pace.ends("a", seconds) == seconds
    return pace


def test_a_node_is_slow_beside_what_ended_elsewhere() -> None:
    pace = paced(10.0, 12.0, 30.0)
    pace.begins("b", 7, 100.0)
    assert pace.slow(100.0 + SLOW * 12.0 - 0.1) == []
    (slow,) = pace.slow(100.0 + SLOW * 12.0)
    assert (slow.node, slow.case, slow.usual_s, slow.ended) == ("b", 7, 12.0, 3)
    assert slow.times == pytest.approx(SLOW)
    assert pace.slow(150.0) == [], "once"
    assert [each.times for each in pace.slow(100.0 + 2 * SLOW * 12.0)] == [pytest.approx(2 * SLOW)]


def test_the_same_case_elsewhere_is_the_measure_where_there_is_one() -> None:
    pace = paced(100.0, 1.0, 1.0)
    pace.begins("b", 0, 0.0)
    assert pace.slow(299.0) == []
    assert [each.usual_s for each in pace.slow(300.0)] == [100.0]


def test_without_a_measure_no_node_is_slow() -> None:
    pace = paced(*[1.0] * (FEWEST_ENDED - 1))
    pace.begins("b", 9, 0.0)
    assert pace.slow(1e6) == [], "too few ended"
    alone = paced(1.0, 1.0, 1.0, 1.0)
    alone.begins("a", 9, 0.0)
    assert alone.slow(1e6) == [], "a node is not measured by its own cases, which may be unlike"


def test_a_lost_node_is_no_longer_waited_for() -> None:
    pace = paced(1.0, 1.0, 1.0)
    pace.begins("b", 9, 0.0)
    pace.lost("b")
    assert pace.slow(1e6) == []
    assert pace.by_node() == {"a": (3, 1.0)}
