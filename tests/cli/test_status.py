"""Exit statuses that a gate must not confuse, and terminals whose encoding cannot hold everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from bench.store import results
from tests.cli.conftest import Typed
from tests.support.factory import block, record
from tests.support.sample import save

Shown = tuple[bytes, int]
"""What was written, and the exit status."""


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


INTERRUPTED_WHILE_LOADING = """
import sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "bench.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from bench.__main__ import main
main()
"""


def test_an_interrupt_while_the_program_loads_is_one_word_and_130() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


VIEWS = (("show",), ("footprint", "people", "--unit", "page"), ("compare",))
EACH = """
import json, sys
from bench.__main__ import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="strict")  # as it begins
    try:
        main()
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stdout.buffer.write(b"\\0%d\\0" % ended.code)
"""
"""One process for all views of an encoding: each writes its output and, between zero bytes, its status."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[tuple[str, ...], Shown]]:
    """A function that shows labels of every kind, a surrogate of a name that is not UTF-8 among them."""
    folder = tmp_path_factory.mktemp("labels")
    labels = [
        save(
            folder / f"{joules}.json",
            record(label="漢字 ± — 👩", blocks=[block(joules + n) for n in range(5)]),
        )
        for joules in (300.0, 360.0)
    ]
    files = {"show": labels[:1], "compare": labels}
    lines = [[*view, *map(str, files.get(view[0], []))] for view in VIEWS]

    @cache
    def show(encoding: str) -> dict[tuple[str, ...], Shown]:
        environment = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0"}
        command = [sys.executable, "-c", EACH, json.dumps(lines)]
        done = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=120)
        texts = done.stdout.split(b"\0")
        return dict(zip(VIEWS, zip(texts[::2], map(int, texts[1::2]), strict=False), strict=True))

    return show


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("view", VIEWS)
def test_what_an_encoding_cannot_hold_is_replaced_and_ends_nothing(
    shown: Callable[[str], dict[tuple[str, ...], Shown]], encoding: str, view: tuple[str, ...]
) -> None:
    written, status = shown(encoding)[view]
    assert status == (1 if view[0] == "compare" else 0)
    utf8 = encoding in ("utf-8", "ascii")  # click takes ASCII for a setting that was forgotten
    text = written.decode("utf-8" if utf8 else encoding)
    assert text
    assert ("漢字" in text) == (utf8 and view[0] != "footprint")
