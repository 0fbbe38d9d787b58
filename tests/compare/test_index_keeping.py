"""An index is made anew by other code: the digest is of rooms that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

import bench
from bench.compare.index import keeping


def test_the_digest_is_of_code_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in keeping.ROOMS:
        assert any(Path(bench.__file__).parent.joinpath(room).rglob("*.py")), room
    digests = set()
    for rooms in (keeping.ROOMS, keeping.ROOMS[1:], keeping.ROOMS[:-1]):
        keeping.made_by.cache_clear()
        monkeypatch.setattr(keeping, "ROOMS", rooms)
        digests.add(keeping.made_by())
    keeping.made_by.cache_clear()
    assert len(digests) == 3
