"""A trace beside its record: read by other tools, the same bytes each time, its faults one sentence."""

from __future__ import annotations

import errno
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from bench.errors import RecordError
from bench.store import traces
from bench.store.machine_folder import MachineFolder
from bench.store.traces import Samples
from tests.support.factory import record

NAN = float("nan")
NAME = "traces/a.parquet"


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
    traces.write(tmp_path / NAME, [samples(), samples("dram:0", 3)])
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


def test_other_tools_can_read_it_and_the_same_samples_are_the_same_bytes(path: Path) -> None:
    rows = duckdb.sql(f"SELECT * FROM '{path.parent / NAME}' LIMIT 1")
    assert dict(zip(rows.columns, map(str, rows.types), strict=True)) == traces.COLUMNS
    (first,) = rows.fetchall()
    assert first == (10**9, "gpu:GPU-1", 1000.125, 300.0, None, 60.0, None, None, None)
    again = path.parent / "traces" / "b.parquet"
    traces.write(again, [samples(), samples("dram:0", 3)])
    assert again.read_bytes() == (path.parent / NAME).read_bytes()


def test_pieces_of_a_domain_are_read_as_one(path: Path) -> None:
    """A temperature at every twelfth sample, as recorded, is kept in memory without what is absent."""
    plain, seldom = samples(count=240), np.where(np.arange(240) % 12, NAN, 60.0)
    whole = Samples(plain.domain, plain.t_ns, {**plain.values, "temperature_c": seldom})
    cuts = [slice(low, low + 50) for low in range(0, 240, 50)]
    columns = [{name: column[cut] for name, column in whole.values.items()} for cut in cuts]
    pieces = [Samples(whole.domain, whole.t_ns[cut], of) for cut, of in zip(cuts, columns, strict=True)]
    traces.write(path.parent / NAME, [*pieces, samples("dram:0", 3)])
    found = traces.read(path, record(trace=NAME))
    assert found is not None
    assert list(found) == ["gpu:GPU-1", "dram:0"]
    np.testing.assert_array_equal(found["gpu:GPU-1"].t_ns, whole.t_ns)
    for name, column in whole.values.items():
        np.testing.assert_array_equal(found["gpu:GPU-1"].values[name], column)
    assert [each.name for each in (path.parent / "traces").iterdir()] == ["a.parquet"], "no piece is left"


def test_columns_are_read_alike_one_by_one_and_together(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = traces.read(path, record(trace=NAME))
    monkeypatch.setattr(traces, "CELLS_AT_ONCE", 1)
    one_by_one = traces.read(path, record(trace=NAME))
    assert together is not None
    assert one_by_one is not None
    for domain, found in together.items():
        for name in traces.VALUES:
            np.testing.assert_array_equal(found.values[name], one_by_one[domain].values[name])


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "m" / traces.FOLDER
    folder.parent.mkdir()
    traces.write(folder / "a.parquet", [samples()])
    (folder / ".b.parquet.x1y2.tmp").write_bytes(b"half")
    (folder / ".b.parquet.z3.tmp").mkdir()
    (folder / ".b.parquet.z3.tmp" / "0.parquet").write_bytes(b"piece")
    with MachineFolder(tmp_path, "m") as machine_folder:
        assert list(machine_folder.recover()) == []
    assert [each.name for each in folder.iterdir()] == ["a.parquet"]


def test_a_domain_of_any_name_is_kept_as_it_is(path: Path) -> None:
    strange = 'wall:it\'s \u00fc "here"; DROP TABLE x --'
    traces.write(path.parent / NAME, [samples(strange)])
    found = traces.read(path, record(trace=NAME))
    assert found is not None
    assert list(found) == [strange]


def rows(values: str, columns: str = ", ".join(traces.VALUES)) -> Callable[[Path], None]:
    """A Parquet file of these rows: stamp, domain, seven values."""
    typed = ", ".join(f"{name}::{kind} AS {name}" for name, kind in traces.COLUMNS.items())

    def write(file: Path) -> None:
        names = f"t_ns, domain, {columns}"
        duckdb.sql(f"SELECT {typed} FROM (VALUES {values}) AS x({names})").write_parquet(str(file))

    return write


def spoilt(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda file: void(file.write_bytes(change(file.read_bytes())))


def void(_: object) -> None:
    """Nothing, for a lambda that writes."""


ABSENT = ", ".join(["NULL"] * 6)
WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut short": (spoilt(lambda whole: whole[:-20]), "not a whole trace"),
    "spoilt": (spoilt(lambda whole: whole[:30] + b"\xff" * 200 + whole[230:]), "not a whole trace"),
    "text": (spoilt(lambda _: b"t_ns,domain\n"), "not a whole trace"),
    "empty": (spoilt(lambda _: b""), "not a whole trace"),
    "foreign": (
        lambda file: duckdb.sql("SELECT 1 AS time, 2 AS power").write_parquet(str(file)),
        "its columns are not t_ns, domain, energy_j",
    ),
    "text for numbers": (
        lambda file: duckdb.sql(
            f"SELECT {', '.join(f'NULL::VARCHAR AS {name}' for name in traces.COLUMNS)}"
        ).write_parquet(str(file)),
        "its columns are not t_ns, domain, energy_j",
    ),
    "NaN": (rows(f"(1, 'gpu:a', 'nan'::DOUBLE, {ABSENT})"), "a value is not finite"),
    "infinite": (rows(f"(1, 'gpu:a', 'inf'::DOUBLE, {ABSENT})"), "a value is not finite"),
    "no stamp": (rows(f"(NULL, 'gpu:a', 5, {ABSENT})"), "a sample has no stamp or no domain"),
    "no domain": (rows(f"(1, NULL, 5, {ABSENT})"), "a sample has no stamp or no domain"),
    "out of time": (
        rows(f"(2, 'gpu:a', 5, {ABSENT}), (1, 'gpu:a', 5, {ABSENT})"),
        "the samples of gpu:a are not in time",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_broken_trace_is_one_sentence(name: str, path: Path) -> None:
    spoil, reason = WRONG[name]
    spoil(path.parent / NAME)
    with pytest.raises(RecordError) as caught:
        traces.read(path, record(trace=NAME))
    assert reason in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_trace_that_was_not_copied_along_or_lies_elsewhere_is_told_apart(
    path: Path, tmp_path: Path
) -> None:
    with pytest.raises(traces.MissingTraceError, match=r"its trace traces/b\.parquet is not there"):
        traces.read(path, record(trace="traces/b.parquet"))
    for name in ("../a.parquet", "/etc/passwd", "traces/link"):
        (tmp_path / "traces" / "link").unlink(missing_ok=True)
        (tmp_path / "traces" / "link").symlink_to("/etc/passwd")
        with pytest.raises(RecordError, match="is not beside it"):
            traces.read(path, record(trace=name))
    for name in ("traces/loop", "a\0b", "a" * 300):
        (tmp_path / "traces" / "loop").unlink(missing_ok=True)
        (tmp_path / "traces" / "loop").symlink_to("loop")
        with pytest.raises(RecordError):
            traces.read(path, record(trace=name))


def test_a_trace_has_a_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MOST_ROWS", 7)
    with pytest.raises(RecordError, match="more than 7 samples"):
        traces.read(path, record(trace=NAME))


def test_rows_are_counted_in_the_footer_before_any_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A billion equal rows are a few kilobytes, and minutes to count."""
    monkeypatch.setattr(traces, "MOST_ROWS", 7)
    file = path.parent / NAME
    content = bytearray(file.read_bytes())
    content[4:200] = bytes(196)  # no row can be read now
    file.write_bytes(content)
    with pytest.raises(RecordError, match="more than 7 samples"):
        traces.read(path, record(trace=NAME))


def test_a_trace_of_very_many_domains_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MOST_CELLS", 1)
    with pytest.raises(RecordError, match="too many domains"):
        traces.read(path, record(trace=NAME))


def test_a_file_that_the_system_refuses_is_its_own_error_and_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(300, 5, 100_000)
    many = samples(count=len(noise))
    trace = [Samples(many.domain, many.t_ns, {**many.values, "power_instant_w": noise})]
    (tmp_path / "traces").mkdir()
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1][1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            traces.write(tmp_path / NAME, trace)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[1])
        signal.signal(signal.SIGXFSZ, before[0])
    assert caught.value.errno == errno.EFBIG
    assert list((tmp_path / "traces").iterdir()) == []
