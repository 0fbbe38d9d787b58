"""Files of a node reach the folder of results whole, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import RecordError
from bench.fleet.node import MeasuredFiles, write

FILES = {"l4/a.json": b"{}", "l4/traces/a.parquet": b"PAR1"}


def test_files_are_written_below_the_folder_and_records_named(tmp_path: Path) -> None:
    assert write(tmp_path, MeasuredFiles(FILES, ("l4/a.json",))) == [tmp_path / "l4" / "a.json"]
    assert (tmp_path / "l4" / "traces" / "a.parquet").read_bytes() == b"PAR1"


@pytest.mark.parametrize("name", ["../a.json", "/tmp/a.json", "l4/../../a.json"])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "results"
    with pytest.raises(RecordError, match="leads out of"):
        write(folder, MeasuredFiles({name: b"x"}, (name,)))
    assert not (tmp_path / "a.json").exists()


def test_a_folder_that_takes_no_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "l4").write_text("in the way", encoding="utf-8")
    with pytest.raises(RecordError, match="the same command fetches it"):
        write(tmp_path, MeasuredFiles(FILES, ("l4/a.json",)))
