"""Blocks are saved as they come, and of many blocks not each: saving takes no growing share of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.record import Record
from bench.measurement import session
from bench.store.machine_folder import MachineFolder
from scripts.faults.machine import Machine
from tests.standin import StandIn


def saved_counts(standin: StandIn, folder: Path, patch: pytest.MonkeyPatch) -> tuple[list[int], int]:
    """Number of blocks at each save of a run, and in its record."""
    counts: list[int] = []
    patch.setattr(MachineFolder, "save_partial", lambda _, record: counts.append(len(record.blocks)))
    with Machine(standin, folder) as machine:
        ending = machine.run()
    assert isinstance(ending.record, Record)
    return counts, len(ending.record.blocks)


def test_each_of_few_blocks_is_saved(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, total = saved_counts(standin, tmp_path, monkeypatch)
    assert counts == list(range(counts[0], total + 1))
    assert len(counts) >= 5


def test_of_many_blocks_a_share_is(standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "KEPT_EVERY", 3)
    counts, total = saved_counts(standin, tmp_path, monkeypatch)
    assert 0 < len(counts) < 5
    assert all(count % (count // 3) == 0 for count in counts)
    assert total - counts[-1] < total // 3
