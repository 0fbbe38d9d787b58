"""Which cases of a run were at work during another's windows, as one process writes it and others read it."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest

from bench.core.side_by_side import SideBySide
from bench.measurement import cases_beside
from bench.measurement.cases_beside import CasesBeside, CaseTimes
from bench.meters.gpu import Gpu

CARDS = [Gpu(number, f"GPU-{number}", "H200") for number in range(4)]
S = 10**9


class Clock:
    """Stands in for `time`: the moment that the test says."""

    now_s = 0

    def monotonic_ns(self) -> int:
        return self.now_s * S


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(cases_beside, "time", clock)
    return clock


@pytest.fixture
def times(clock: Clock) -> CaseTimes:
    """Case `a` on card 0 from 10 s; `b` on 1 from 10 to 50 s, `c` on both others from 60 s; `d` never."""
    times = CaseTimes(["a", "b", "c", "d"], [gpu.uuid for gpu in CARDS])
    for second, at, cards in ((10, 0, CARDS[:1]), (10, 1, CARDS[1:2]), (60, 2, CARDS[2:])):
        clock.now_s = second
        times.begins(at, cards)
        if at == 1:
            clock.now_s = 50
            times.ends(at)
    return times


def beside_a(times: CaseTimes) -> CasesBeside:
    return CasesBeside(times, 0, ("GPU-1", "GPU-2", "GPU-3"))


@pytest.mark.parametrize(
    ("windows_s", "overlaps_s"),
    [
        ([(20, 30), (31, 40)], {"b": 19.0}),
        ([(45, 55), (56, 66)], {"b": 5.0, "c": 6.0}),
        ([(51, 59)], {}),
        ([(70, 80)], {"c": 10.0}),
        ([], {}),
    ],
)
def test_only_cases_that_were_at_work_during_the_windows_are_named(
    times: CaseTimes, windows_s: list[tuple[int, int]], overlaps_s: dict[str, float]
) -> None:
    found = beside_a(times).during([(start_s * S, end_s * S) for start_s, end_s in windows_s])
    assert found.beside is not None
    assert {case.label: case.overlap_s for case in found.beside} == overlaps_s
    assert found.cases == len(overlaps_s)
    for case in found.beside:
        assert case.cards == {"b": ("GPU-1",), "c": ("GPU-2", "GPU-3")}[case.label]
        assert case.end_ns == {"b": 50 * S, "c": None}[case.label], "still at work"


def test_a_card_is_used_while_its_case_is_at_work_and_by_no_case_before_and_after(times: CaseTimes) -> None:
    others = beside_a(times)
    assert others.card_user("GPU-1", 40 * S, 55 * S) == "b"
    assert others.card_user("GPU-1", 51 * S, 55 * S) is None
    assert others.card_user("GPU-3", 51 * S, 59 * S) is None
    assert others.card_user("GPU-3", 51 * S, 61 * S) == "c"
    assert others.card_user("GPU-0", 20 * S, 30 * S) is None, "its own card"


def answer(others: CasesBeside, connection: Connection) -> None:
    """In a process of a case: once it is asked, what it sees then."""
    connection.recv()
    connection.send(others.during([(20 * S, 30 * S)]))


def test_a_process_sees_what_is_written_after_it_was_started(clock: Clock) -> None:
    times = CaseTimes(["a", "b"], [gpu.uuid for gpu in CARDS])
    clock.now_s = 10
    times.begins(0, CARDS[:1])
    spawning = get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=answer, args=(beside_a(times), theirs))
    process.start()
    clock.now_s = 25
    times.begins(1, CARDS[1:2])
    ours.send("now")
    found = ours.recv()
    process.join()
    assert isinstance(found, SideBySide)
    assert found.beside is not None
    assert [(case.label, case.overlap_s) for case in found.beside] == [("b", 5.0)]
