"""What this program writes has no secret, on a stream or into the file of `-o`."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from rich.console import Console

from bench import cli
from bench.cli import written_form
from bench.cli.watch_lines import CsvRows
from bench.cli.watch_outputs import lines_to
from bench.footprint.grid import choose
from bench.streams import MaskedText, mask_streams
from tests.support.processes import ROOT

SECRET = 'sk-planted "0123" 456'


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


def catch(monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8") -> None:
    """Streams into memory; a fixture's would be gone in the test, where pytest sets its own."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding=encoding))


def written() -> str:
    """What both streams have, whose buffers are bytes in memory."""
    found = ""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        assert isinstance(stream.buffer, io.BytesIO)
        found += stream.buffer.getvalue().decode()
    return found


def fail() -> None:
    raise RuntimeError(SECRET)


def trace() -> None:
    try:
        fail()
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
        traceback.print_exc()


WAYS: dict[str, Callable[[], object]] = {
    "click": lambda: click.echo(SECRET, err=True),
    "print": lambda: print("key", SECRET),
    "lines": lambda: sys.stdout.writelines([SECRET]),
    "json": lambda: print(json.dumps({"key": SECRET})),
    "logging": lambda: logging.StreamHandler().emit(
        logging.LogRecord("library", logging.ERROR, __file__, 1, "refused %s", (SECRET,), None)
    ),
    "warnings": lambda: sys.stderr.write(warnings.formatwarning(SECRET, UserWarning, "a.py", 1)),
    "rich": lambda: Console(file=sys.stderr, soft_wrap=True).print(SECRET, markup=False),
    "traceback": trace,
}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_masked_whichever_way_it_is_written(
    way: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch(monkeypatch, encoding)
    mask_streams()
    WAYS[way]()
    assert "***" in written()
    assert "planted" not in written()


def test_the_command_line_masks_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    catch(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["bench", "list"])
    monkeypatch.setattr(cli.cli, "main", lambda *_, **__: print(f"ü {SECRET}"))
    with pytest.raises(SystemExit):
        cli.main()
    assert written() == "ü ***\n"
    assert type(sys.stdout) is type(sys.stderr) is MaskedText


def test_an_unbuffered_stream_stays_so() -> None:
    """As `python -u` and PYTHONUNBUFFERED ask for: each piece is seen at once, not each line."""
    program = """
import os, sys
from bench.streams import mask_streams
mask_streams()
print(os.environ["OPENAI_API_KEY"], end="")
os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-u", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "***"


def test_what_an_encoding_lacks_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    catch(monkeypatch, "latin-1")
    mask_streams()
    print("a \u2014 b")
    assert written() == "a ? b\n"


def test_the_file_of_an_answer_has_the_mask_and_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    @click.command()
    @written_form.options("json")
    def verb(as_json: bool) -> int:
        click.echo(f"{as_json} {SECRET} /home/ada/results")
        return 0

    verb.main(["--json", "-o", str(tmp_path / "answer")], standalone_mode=False)
    assert (tmp_path / "answer").read_text() == "True *** ~/results\n"


def test_the_file_of_a_watch_has_the_mask(tmp_path: Path) -> None:
    with lines_to(tmp_path / "watch.csv", choose("FRA"), as_csv=True) as lines:
        assert isinstance(lines, CsvRows)
        lines._rows([("time", SECRET)])
    assert (tmp_path / "watch.csv").read_text().endswith('\ntime,"***"\n')
