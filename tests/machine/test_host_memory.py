"""Host memory of cases side by side: judged together, and never in the way of a case alone."""

from __future__ import annotations

from bench.machine.host_memory import HostMemory


def test_a_case_waits_while_it_and_those_at_work_need_more_than_there_is() -> None:
    memory = HostMemory(100)
    assert memory.takes(60)
    assert not memory.takes(50)
    assert memory.takes(40), "a smaller one may pass it"
    memory.give_back(60)
    assert memory.takes(50)
    assert memory.taken_bytes == 90


def test_what_needs_more_than_all_of_it_begins_alone() -> None:
    memory = HostMemory(100)
    assert memory.takes(200)
    assert not memory.takes(1)
    memory.give_back(200)
    assert memory.takes(1)
