"""Exit statuses that a gate must not confuse, and terminals whose encoding cannot hold everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store import results
from tests.cli.conftest import Typed
from tests.support.factory import block, record
from tests.support.sample import save


def test_a_fault_of_ours_is_no_regression(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised that is no sentence of ours: 70, as sysexits.h has it, and what to do."""

    def fail(*_: object) -> None:
        raise RuntimeError("unheard of")

    monkeypatch.setattr(results, "from_json", fail)
    done = typed("show", save(tmp_path / "a.json", record()))
    assert done.status == 70
    assert "a fault in joulebench itself: RuntimeError: unheard of" in done.err
    assert "--debug" in done.err


def command_line(encoding: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """The command line as a process whose terminal has that encoding."""
    environment = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment, check=False, timeout=120)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("view", [("show",), ("footprint", "people", "--unit", "page"), ("compare",)])
def test_what_an_encoding_cannot_hold_is_replaced_and_ends_nothing(
    tmp_path: Path, encoding: str, view: tuple[str, ...]
) -> None:
    """Labels of every kind, a surrogate of a name that is not UTF-8 among them."""
    paths = [
        save(
            tmp_path / f"{joules}.json",
            record(label="漢字 ± — 👩", blocks=[block(joules + n) for n in range(5)]),
        )
        for joules in (300.0, 360.0)
    ]
    files = {"show": paths[:1], "compare": paths}.get(view[0], [])
    done = command_line(encoding, *view, *files)
    assert done.returncode == (1 if view[0] == "compare" else 0), done.stderr.decode(encoding, "replace")
    utf8 = encoding in ("utf-8", "ascii")  # click takes ASCII for a setting that was forgotten
    text = done.stdout.decode("utf-8" if utf8 else encoding)
    assert text
    assert ("漢字" in text) == (utf8 and bool(files))
