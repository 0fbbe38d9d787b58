"""A trace beside its record: readable by anything, the same bytes each time, its faults one sentence."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import RecordError
from bench.store import traces
from bench.store.traces import Samples
from tests.support.factory import record

NAN = float("nan")
NAME = "traces/a.csv.gz"


def samples(domain: str = "gpu:GPU-1", count: int = 5) -> Samples:
    """A card that draws 300 W, asked for its temperature at every other sample."""
    t_ns = 10**9 + 43_478_261 * np.arange(count)
    values = {name: np.full(count, NAN) for name in traces.VALUES}
    values["energy_j"] = 1000.125 + 13.0434783 * np.arange(count)
    values["power_instant_w"] = np.full(count, 300.0)
    values["temperature_c"] = np.where(np.arange(count) % 2, NAN, 60.0)
    return Samples(domain, t_ns, values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A record's file, whose trace lies beside it."""
    traces.write(tmp_path / NAME, {"gpu:GPU-1": samples(), "dram:0": samples("dram:0", 3)})
    return tmp_path / "a.json"


def test_what_is_written_is_read_again_to_the_last_digit(path: Path) -> None:
    found = traces.read(path, record(trace=NAME))
    assert found is not None
    assert list(found) == ["gpu:GPU-1", "dram:0"]
    for domain, count in (("gpu:GPU-1", 5), ("dram:0", 3)):
        np.testing.assert_array_equal(found[domain].t_ns, samples(domain, count).t_ns)
        for name, column in samples(domain, count).values.items():
            np.testing.assert_array_equal(found[domain].values[name], column)
    assert found["gpu:GPU-1"].column("temperature_c")[1].tolist() == [60.0, 60.0, 60.0]
    assert traces.read(path, record()) is None


def test_anything_can_read_it_and_the_same_samples_are_the_same_bytes(path: Path) -> None:
    with gzip.open(path.parent / NAME, "rt") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == dict.fromkeys(traces.HEADER, "") | {
        "t_ns": "1000000000",
        "domain": "gpu:GPU-1",
        "energy_j": "1000.125",
        "power_instant_w": "300",
        "temperature_c": "60",
    }
    before = (path.parent / NAME).read_bytes()
    traces.write(
        path.parent / "traces" / "b.csv.gz", {"gpu:GPU-1": samples(), "dram:0": samples("dram:0", 3)}
    )
    assert (path.parent / "traces" / "b.csv.gz").read_bytes() == before


HEAD = ",".join(traces.HEADER) + "\n"
WRONG: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut short": (lambda whole: whole[:-20], "not a whole trace"),
    "spoilt": (lambda whole: whole[:30] + b"\xff" * 20 + whole[50:], "not a whole trace"),
    "not gzip": (lambda _: b"t_ns,domain\n", "Not a gzipped file"),
    "empty": (lambda _: b"", "its columns are not t_ns, domain, energy_j"),
    "foreign": (lambda _: gzip.compress(b"time,power\n1,2\n"), "its columns are not t_ns, domain, energy_j"),
    "not text": (lambda _: gzip.compress(HEAD.encode() + b"\xff\xfe"), "not a whole trace"),
    "NaN": (lambda _: gzip.compress(f"{HEAD}1,gpu:a,nan,,,,,,\n".encode()), "a cell has no number"),
    "infinite": (lambda _: gzip.compress(f"{HEAD}1,gpu:a,inf,,,,,,\n".encode()), "a cell has no number"),
    "words": (lambda _: gzip.compress(f"{HEAD}1,gpu:a,much,,,,,,\n".encode()), "could not convert string"),
    "no stamp": (lambda _: gzip.compress(f"{HEAD},gpu:a,,,,,,,\n".encode()), "invalid literal"),
    "late stamp": (lambda _: gzip.compress(f"{HEAD}{10**20},gpu:a,,,,,,,\n".encode()), "too large"),
    "half a line": (lambda _: gzip.compress(f"{HEAD}1,gpu:a,5".encode()), "its last line has no end"),
    "few cells": (lambda _: gzip.compress(f"{HEAD}1,gpu:a,5\n".encode()), "line 2 has not 9 cells"),
    "out of time": (
        lambda _: gzip.compress(f"{HEAD}2,gpu:a,,,,,,,\n1,gpu:a,,,,,,,\n".encode()),
        "the samples of gpu:a are not in time",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_broken_trace_is_one_sentence(name: str, path: Path) -> None:
    spoil, reason = WRONG[name]
    file = path.parent / NAME
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(RecordError) as caught:
        traces.read(path, record(trace=NAME))
    assert reason in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_trace_that_was_not_copied_along_or_lies_elsewhere_is_told_apart(
    path: Path, tmp_path: Path
) -> None:
    with pytest.raises(traces.MissingTraceError, match=r"its trace traces/b\.csv\.gz is not there"):
        traces.read(path, record(trace="traces/b.csv.gz"))
    for name in ("../a.csv.gz", "/etc/passwd", "traces/link"):
        (tmp_path / "traces" / "link").unlink(missing_ok=True)
        (tmp_path / "traces" / "link").symlink_to("/etc/passwd")
        with pytest.raises(RecordError, match="is not beside it"):
            traces.read(path, record(trace=name))
    for name in ("traces/loop", "a\0b", "a" * 300):
        (tmp_path / "traces" / "loop").unlink(missing_ok=True)
        (tmp_path / "traces" / "loop").symlink_to("loop")
        with pytest.raises(RecordError):
            traces.read(path, record(trace=name))


def test_a_trace_in_pieces_is_the_same_trace(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = traces.read(path, record(trace=NAME))
    monkeypatch.setattr(traces, "PIECE", 3)
    pieces = traces.read(path, record(trace=NAME))
    assert whole
    assert pieces
    assert list(whole) == list(pieces)
    for domain, samples in whole.items():
        np.testing.assert_array_equal(samples.t_ns, pieces[domain].t_ns)
        for name, column in samples.values.items():
            np.testing.assert_array_equal(column, pieces[domain].values[name])


def test_an_unpacked_trace_has_a_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "LARGEST_BYTES", 100)
    with pytest.raises(RecordError, match="larger than 100 bytes"):
        traces.read(path, record(trace=NAME))
