"""Downloads whose content is not what the hub announced are removed and refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bench.engines.weights.downloads import announced_files, check_downloads
from bench.errors import EngineError


def test_a_download_of_another_content_is_removed_and_refused(tmp_path: Path) -> None:
    blobs = tmp_path / "models--own--tiny" / "blobs"
    blobs.mkdir(parents=True)
    right, wrong = (blobs / hashlib.sha256(content).hexdigest() for content in (b"right", b"wrong"))
    right.write_bytes(b"right")
    wrong.write_bytes(b"other")
    (blobs / ("a" * 40)).write_bytes(b"of git")
    (blobs / f"{'b' * 64}.incomplete").write_bytes(b"half")
    assert announced_files(tmp_path) == {right, wrong}
    check_downloads([right])
    with pytest.raises(EngineError, match="own/tiny has another SHA-256") as caught:
        check_downloads(announced_files(tmp_path))
    assert caught.value.missing
    assert announced_files(tmp_path) == {right}


def test_a_cache_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert announced_files(tmp_path / "nowhere") == frozenset()
