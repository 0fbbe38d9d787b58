"""Guided fuzzing: its readers exist, its findings are told, and without atheris there is a sentence."""

from __future__ import annotations

import importlib.util
import subprocess
from typing import Any

import pytest

from scripts.torture import guided
from scripts.torture.__main__ import main
from scripts.torture.readers import READERS

FOUND = """\
#2\tINITED cov: 12 ft: 12
 === Uncaught Python exception: ===
KeyError: 'a key'
Traceback (most recent call last):
"""
ENDED = "#4711\tDONE   cov: 395 ft: 842 corp: 77/46Kb\nDone 4711 runs in 41 second(s)\n"


def test_without_atheris_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert main(["fuzz", "--guided"]) == 2
    assert "Install it: pip install atheris" in capsys.readouterr().err


def test_each_reader_is_a_process_whose_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        broken = "record" in command
        return subprocess.CompletedProcess(command, int(broken), b"", (FOUND if broken else ENDED).encode())

    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: True)
    monkeypatch.setattr(subprocess, "run", play)
    told: list[str] = []
    found = list(guided.guided(["models.yaml", "record"], 1, 1, told.append))
    assert len(found) == 1
    assert found[0].startswith("record: === Uncaught Python exception: === KeyError: 'a key'")
    assert " ".join(told[0].split()) == "models.yaml 4711 inputs, 395 places of the code reached"


def test_the_exposed_readers_are_readers() -> None:
    assert set(guided.EXPOSED) <= READERS.keys()
