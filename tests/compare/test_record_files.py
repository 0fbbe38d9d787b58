"""Files that may be records: what is not a file, or too large for one, is passed over or refused."""

from __future__ import annotations

import io
import os
import random
import sys
import time
from pathlib import Path

import pytest

from bench.compare import record_files
from bench.compare.record_set import records_below
from bench.errors import RecordError
from tests.support.sample import run, save


def test_pipes_and_devices_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    save(tmp_path / "a.json", run(300.0, random.Random(1)))
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    found = records_below(tmp_path)
    assert [Path(each.where).name for each in found.found] == ["a.json"]
    assert found.problems == ()


def test_a_named_device_is_read_up_to_the_bound() -> None:
    with pytest.raises(RecordError, match="larger than 64 MB"):
        record_files.text_of("/dev/zero")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a": 1}\n' * 300_000])
def test_deep_and_very_many_documents_on_standard_input_take_seconds(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    begun = time.process_time()
    texts = [content for _, content in record_files.piped()]
    assert "".join(map(str, texts)) == text
    assert time.process_time() - begun < 10


def test_an_endless_standard_input_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_files, "LARGEST_STREAM_BYTES", 1_000_000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{" * 1_000_001)))
    with pytest.raises(RecordError, match="standard input: not JSON: it is larger than 1 MB"):
        record_files.piped()
