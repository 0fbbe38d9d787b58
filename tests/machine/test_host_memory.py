"""Host memory of cases side by side: judged together, and never in the way of a case alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bench.machine import host_memory
from bench.machine.host_memory import HostMemory, host_memory_bytes

MACHINE_BYTES = 64 * 10**9
NO_LIMIT = "9223372036854771712"
"""As version 1 writes it."""


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


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/", {"memory.max": "8000000000"}, 8 * 10**9),
        ("0::/", {"memory.max": "max"}, MACHINE_BYTES),
        ("0::/", {}, MACHINE_BYTES),
        ("0::/job/step", {"job/memory.max": "9000000000", "job/step/memory.max": "max"}, 9 * 10**9),
        ("0::/job/step", {"job/memory.max": "9000000000", "job/step/memory.max": "7000000000"}, 7 * 10**9),
        ("0::/on/the/host", {"memory.max": "6000000000"}, 6 * 10**9),
        ("0::/", {"memory.max": "90000000000"}, MACHINE_BYTES),
        ("5:cpu:/a\n4:memory:/a", {"memory/a/memory.limit_in_bytes": "5000000000"}, 5 * 10**9),
        ("4:cpu,memory:/gone", {"memory/memory.limit_in_bytes": "4000000000"}, 4 * 10**9),
        ("4:memory:/a\n0::/", {"memory/a/memory.limit_in_bytes": NO_LIMIT}, MACHINE_BYTES),
        (None, {}, MACHINE_BYTES),
    ],
)
def test_memory_is_that_of_the_group_of_this_process_where_it_is_less(
    groups: str | None,
    files: dict[str, str],
    expected: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=MACHINE_BYTES))
    monkeypatch.setattr(host_memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(host_memory, "OWN_GROUPS", tmp_path / "own")
    if groups is not None:
        (tmp_path / "own").write_text(f"{groups}\n")
    for name, text in files.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert host_memory_bytes() == expected
