"""Records are written whole or not at all, and what a run leaves behind is never lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.core.record import Record
from bench.core.recorded import Failure
from bench.errors import PrerequisiteError, RecordError
from bench.store import machine_folder, results
from bench.store.machine_folder import MachineFolder
from bench.store.results import slug, write_atomically
from tests.support import factory

KILLED = "The run ended without a word (killed, or the machine went down)."
NAME = "bloom-560m-bfloat16-batch-1--{hash}--20260131T120000Z.json"


class Usage(NamedTuple):
    """What `shutil.disk_usage` gives."""

    total: int
    used: int
    free: int


def refuse(code: int) -> Callable[..., Any]:
    """A function that fails as a disk does."""

    def failing(*arguments: Any, **options: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return failing


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the machine, for the time of one test."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def names(folder: Path) -> list[str]:
    """Every file in a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old\n")
    write_atomically(path, "new, with ü and 漢\n")
    assert path.read_text(encoding="utf-8") == "new, with ü and 漢\n"
    assert names(tmp_path) == ["a.json"]


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.json", "{}")
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("step", ["fsync", "replace", "close"])
@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_crash_before_the_rename_leaves_the_old_file_whole(
    step: str, fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old\n")

    def crash(*arguments: Any, **options: Any) -> Any:
        raise fault

    monkeypatch.setattr(os, step, crash)
    with pytest.raises(type(fault)):
        write_atomically(path, "new\n")
    assert path.read_text() == "old\n"
    assert names(tmp_path) == ["a.json"], "the temporary file must go"


def test_the_text_is_on_the_disk_before_the_name_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def noted(name: str) -> None:
        real = getattr(os, name)

        def call(*arguments: Any) -> Any:
            done.append(name)
            return real(*arguments)

        monkeypatch.setattr(os, name, call)

    noted("fsync")
    noted("replace")
    write_atomically(tmp_path / "a.json", "x")
    assert done == ["fsync", "replace"]


def test_a_finished_record_takes_the_place_of_its_partial_one(tmp_path: Path) -> None:
    record = factory.record()
    with MachineFolder(tmp_path, "My GPU 1a2b") as folder:
        folder.save_partial(record)
        partial = tmp_path / "my-gpu-1a2b" / ".partial"
        name = NAME.format(hash=record.case.hash[:8])
        assert names(partial) == [name]
        path = folder.save(record)
        assert path == tmp_path / "my-gpu-1a2b" / name
        assert names(partial) == []
    assert results.read(path) == record


def test_a_record_is_json_that_anything_can_read(tmp_path: Path) -> None:
    with MachineFolder(tmp_path, "m") as folder:
        text = folder.save(factory.record()).read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text.isascii()
    plain = json.loads(text, parse_constant=pytest.fail)
    assert plain["figures"]["energy_per_unit_j"]["gpu"]["gross"]["value"] == 300.0


def test_a_disk_that_refuses_the_record_gets_it_saved_elsewhere_and_said_so(
    tmp_path: Path, temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = factory.record()
    real = write_atomically

    def full(path: Path, text: str) -> None:
        if path.is_relative_to(tmp_path / "results"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, text)

    with MachineFolder(tmp_path / "results", "m") as folder:
        folder.save_partial(record)
        monkeypatch.setattr(machine_folder, "write_atomically", full)
        with pytest.raises(RecordError) as caught:
            folder.save(record)
        assert len(names(tmp_path / "results" / "m" / ".partial")) == 1, "nothing may be thrown away"
    [saved] = temporary_folder.glob("joulebench-rescued-*/*.json")
    assert str(caught.value) == (
        f"{tmp_path}/results/m refused the record (No space left on device); "
        f"it was saved as {saved} instead. Make room or restore the folder, then move it there."
    )
    assert results.read(saved) == record
    assert caught.value.exit_status == 2


def test_where_every_disk_refuses_that_is_one_sentence_too(
    tmp_path: Path, temporary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MachineFolder(tmp_path, "m") as folder:
        monkeypatch.setattr(machine_folder, "write_atomically", refuse(errno.ENOSPC))
        with pytest.raises(RecordError, match=r"refused the record .* and so did") as caught:
            folder.save(factory.record())
    assert str(temporary_folder) in str(caught.value)


def recovered_from(folder: Path, record: Record) -> Record:
    with MachineFolder(folder, "m") as kept:
        kept.save_partial(record)
    with MachineFolder(folder, "m") as kept:
        [path] = kept.recover()
        assert list(kept.recover()) == []
    assert path.parent == folder / "m"
    assert names(folder / "m" / ".partial") == []
    return results.read(path)


def test_a_killed_run_with_too_few_blocks_becomes_a_failed_record_with_them(tmp_path: Path) -> None:
    record = factory.record(status="invalid", reasons=["2 of 2 blocks are valid, 5 are needed."])
    recovered = recovered_from(tmp_path, record)
    assert recovered.status == "failed"
    assert recovered.blocks == record.blocks
    assert recovered.figures == record.figures
    assert recovered.reasons == [*record.reasons, KILLED]
    assert recovered.failure == Failure(stage="killed", message=KILLED)


def test_a_killed_run_with_enough_blocks_is_a_record_that_an_interrupt_ended(tmp_path: Path) -> None:
    recovered = recovered_from(tmp_path, factory.record(reasons=["one block was throttled"]))
    assert (recovered.status, recovered.failure) == ("ok", None)
    assert recovered.ended is not None
    assert recovered.ended.by == "interrupt"
    assert recovered.reasons == ["one block was throttled"]
    assert "killed" in recovered.absent["trace"]


def test_a_partial_record_under_another_name_is_recovered_once(tmp_path: Path) -> None:
    with MachineFolder(tmp_path, "m") as folder:
        folder.save_partial(factory.record())
        [left] = (tmp_path / "m" / ".partial").glob("*.json")
        left.rename(left.with_name("mine.json"))
        assert len(list(folder.recover())) == 1
        assert list(folder.recover()) == []


def test_a_whole_record_is_never_replaced_by_what_was_left_of_it(tmp_path: Path) -> None:
    """A run killed between writing the record and clearing up leaves both."""
    record = factory.record()
    with MachineFolder(tmp_path, "m") as folder:
        path = folder.save(record)
        folder.save_partial(record)
        assert list(folder.recover()) == []
        assert names(tmp_path / "m" / ".partial") == []
    assert results.read(path) == record


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema": "joulebench/record/1"}', b"\xff", b"[" * 100_000]
)
def test_an_unreadable_left_over_is_kept_aside_and_stops_nothing(content: bytes, tmp_path: Path) -> None:
    record = factory.record()
    with MachineFolder(tmp_path, "m") as folder:
        partial = tmp_path / "m" / ".partial"
        (partial / "a.json").write_bytes(content)
        folder.save_partial(record)
        recovered = [results.read(path).case for path in folder.recover()]
        assert recovered == [record.case]
        assert names(partial) == ["a.unreadable"]
        assert (partial / "a.unreadable").read_bytes() == content


def test_a_file_where_the_folder_should_be_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("not a folder")
    with pytest.raises(PrerequisiteError) as caught, MachineFolder(tmp_path / "results", "m"):
        pass
    assert str(caught.value) == (
        f"The results folder {tmp_path}/results/m cannot be written: Not a directory. "
        "Name another with --results DIR."
    )


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("pathlib.Path.mkdir", errno.EACCES),
        ("pathlib.Path.mkdir", errno.EROFS),
        ("os.fsync", errno.ENOSPC),
        ("os.fsync", errno.EDQUOT),
        ("fcntl.flock", errno.ENOLCK),
    ],
)
def test_a_folder_that_cannot_be_written_is_found_before_anything_is_measured(
    target: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(target, refuse(code))
        with (
            pytest.raises(PrerequisiteError, match=os.strerror(code)) as caught,
            MachineFolder(tmp_path, "m"),
        ):
            pass
    assert caught.value.exit_status == 2
    with MachineFolder(tmp_path, "m"):
        assert names(tmp_path / "m") == [".lock"], "the failed attempt must have given its lock back"


def test_a_disk_that_is_nearly_full_is_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 10**12, 12_000_000))
    with pytest.raises(PrerequisiteError, match="only 12 MB are free, 50 MB needed"):
        MachineFolder(tmp_path, "m").__enter__()


HOSTILE = {
    "way up": ("../../etc/passwd", "etc-passwd"),
    "only dots": ("..", "unnamed"),
    "empty": ("", "unnamed"),
    "absolute": ("/etc/passwd", "etc-passwd"),
    "hidden": (".ssh", "ssh"),
    "a device of Windows": ("CON", "a-con"),
    "one with an ending": ("nul.txt", "a-nul.txt"),
    "one with a number": ("COM1", "a-com1"),
    "no such device": ("console com10", "console-com10"),
    "a drive of Windows": ("C:\\Users\\x. .", "c-users-x"),
    "a stream of Windows": ("a.json::$DATA", "a.json-data"),
    "option": ("--help", "help"),
    "NUL": ("a\0b", "a-b"),
    "line break": ("a\nb", "a-b"),
    "shell": ("$(rm -rf ~); `x` | y", "rm-rf-x-y"),
    "letters of elsewhere": ("漢字 GPU", "gpu"),
    "nothing but elsewhere": ("漢字", "unnamed"),
    "right to left": ("\u202eabc\u202c", "abc"),
    "emoji": ("RTX 🙂 4090", "rtx-4090"),
    "usual": ("NVIDIA H200 NVL 1a2b3c4d", "nvidia-h200-nvl-1a2b3c4d"),
    "version": ("bloom-7b1 v1.5", "bloom-7b1-v1.5"),
}


@pytest.mark.parametrize(("name", "expected"), HOSTILE.values(), ids=HOSTILE)
def test_any_name_becomes_one_that_is_safe_in_a_folder(name: str, expected: str, tmp_path: Path) -> None:
    assert slug(name) == expected
    with MachineFolder(tmp_path / "results", name) as folder:
        path = folder.save(factory.record(label=name, created=name))
    assert path.resolve().parent == (tmp_path / "results" / expected).resolve()


@pytest.mark.parametrize("cut", range(76, 84))
def test_a_long_name_is_cut_and_still_ends_in_a_letter(cut: int) -> None:
    found = slug("a" * cut + "--. .--" + "b" * 400)
    assert len(found) <= 80
    assert found[-1] in "ab"


def test_a_hash_from_a_tampered_record_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    with MachineFolder(tmp_path / "results", "m") as folder:
        path = folder.save(factory.record(case=factory.case(hash="/../../x")))
    assert path.resolve().parent == (tmp_path / "results" / "m").resolve()


def test_a_pipe_is_written_into_and_a_link_is_followed(tmp_path: Path) -> None:
    pipe, link, whole = tmp_path / "pipe", tmp_path / "link", tmp_path / "whole"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, "said")
    assert os.read(reader, 10) == b"said"
    os.close(reader)
    assert pipe.is_fifo()
    link.symlink_to(whole)
    write_atomically(link, "said")
    assert (link.is_symlink(), whole.read_text()) == (True, "said")


def test_bytes_of_paths_that_are_not_utf8_are_replaced_and_the_record_is_readable(tmp_path: Path) -> None:
    record = factory.record()
    odd = os.fsdecode(b"--results=/tmp/\xff")
    record.provenance.command, record.provenance.environment = odd, {"A": odd, "B": "ü 漢 😀"}
    path = tmp_path / "a.json"
    write_atomically(path, results.to_json(record))
    found = results.read(path).provenance
    assert found.command == "--results=/tmp/\ufffd"
    assert found.environment == {"A": "--results=/tmp/\ufffd", "B": "ü 漢 😀"}


def test_files_that_a_killed_run_was_writing_are_removed_by_the_next(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from bench.store.machine_folder import MachineFolder
from bench.store.results import replacing
with MachineFolder(Path(sys.argv[1]), "m") as folder, replacing(folder.path / "a.json") as one:
    one.write_text("half")
    with replacing(folder.path / ".partial" / "a.json"):
        os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = [*(tmp_path / "m").glob(".*.tmp"), *(tmp_path / "m" / ".partial").glob(".*.tmp")]
    assert len(left) == 2
    with MachineFolder(tmp_path, "m") as folder:
        assert list(folder.recover()) == []
    assert not any(path.exists() for path in left)
