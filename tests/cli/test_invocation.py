"""Hints name the program as it was started."""

from __future__ import annotations

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
