"""docs/pytest.md: its snippet runs, and it names every option there is."""

from __future__ import annotations

import inspect
import re

import pytest

from bench.pytest_plugin import marker
from bench.pytest_plugin.measuring import EnergyBenchmark
from tests.pytest_plugin.conftest import Session
from tests.pytest_plugin.planted import Truth
from tests.support.processes import ROOT

PAGE = (ROOT / "docs/pytest.md").read_text(encoding="utf-8")


def test_snippet_runs(pytester: pytest.Pytester, truth: Truth, session: Session) -> None:
    snippets = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.M)
    assert snippets
    pytester.makepyfile("def write_pages():\n    return ['text'] * 2\n\n" + "\n".join(snippets))
    session().assert_outcomes(passed=len(snippets))


def test_page_names_every_option(session: Session) -> None:
    parameters = set(inspect.signature(EnergyBenchmark.__call__).parameters) - {"self", "function"}
    named = [f"`{name}`" for name in (*parameters, *marker.OPTIONS)]
    options = set(re.findall(r"--energy-\w+", session("--help").stdout.str()))
    assert len(options) == 4
    assert not [name for name in [*named, *options] if name not in PAGE]
