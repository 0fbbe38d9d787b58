"""Rows of a recorder's file, read by several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bench.meters import sample_buffer
from bench.meters.sample_buffer import ROW, SampleBuffer


def test_threads_that_look_at_once_count_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent answers in several threads; rows counted twice are behind the end of the file."""
    monkeypatch.setattr(sample_buffer, "MOST_AT_ONCE", 1)
    path, rows = tmp_path / "samples.bin", np.zeros(2000, dtype=ROW)
    rows["t_ns"] = np.arange(len(rows))
    path.write_bytes(rows.tobytes())
    buffer = SampleBuffer(path)
    with ThreadPoolExecutor(8) as pool:
        counts = set(pool.map(lambda _: buffer.refresh(), range(8)))
    assert counts == {len(rows)}
    assert buffer.find(len(rows) + 1) == len(rows)
