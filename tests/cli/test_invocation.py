"""Hints name the program as it was started."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from bench import invocation
from tests.cli.conftest import Typed


@pytest.mark.parametrize(
    ("started", "variable", "name"),
    [
        ("/home/me/.venv/bin/joulebench", "", "joulebench"),
        ("/home/me/.venv/lib/python3.11/site-packages/bench/__main__.py", "", "python -m bench"),
        ("/srv/joulebench/.venv/bin/pytest", "scripts/bench", "scripts/bench"),
        ("x.py", "\x1b[31mred", "python -m bench"),
    ],
)
def test_a_hint_has_the_name_that_was_typed(
    started: str, variable: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [started])
    monkeypatch.setenv(invocation.VARIABLE, variable)
    assert invocation.as_started("Run `python -m bench list`.") == f"Run `{name} list`."


def test_usage_errors_help_and_hints_have_it(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(invocation.VARIABLE, "scripts/bench")
    assert "Usage: scripts/bench [OPTIONS]" in typed("--help").out
    assert "Did you mean `scripts/bench show`?" in typed("shwo").err
    assert "`scripts/bench run` prints what it wrote" in typed("show", "nowhere").err
    assert "Measure one with: scripts/bench run MODEL" in typed("list", "--systems").out


@pytest.mark.parametrize(
    ("module", "typed", "named"),
    [
        ("bench.__main__", ["/x/bench/__main__.py", "run", "--all"], "scripts/bench run --all"),
        (None, ["/usr/bin/joulebench", "run", "--all"], "scripts/bench run --all"),
        (None, ["/usr/bin/pytest", "--energy-save=base"], "pytest --energy-save=base"),
        ("pytest.__main__", ["/x/pytest/__main__.py", "-q"], "python -m pytest -q"),
        (None, ["-c", "a"], "python -c a"),
        (None, ["train.py"], "train.py"),
    ],
)
def test_a_whole_line_names_its_program(
    module: str | None, typed: list[str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SimpleNamespace(name=module) if module else None
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=spec))
    monkeypatch.setattr(sys, "argv", typed)
    monkeypatch.setenv("JOULEBENCH_PROGRAM", "scripts/bench")
    assert invocation.command_line() == named
