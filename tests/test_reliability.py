"""Each promise of docs/reliability.md and SECURITY.md names a test that exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.processes import ROOT

PAGES = ("docs/reliability.md", "SECURITY.md")
ROW = re.compile(
    r"^\| (?P<promise>[^|]+) \| `(?P<file>tests/[\w/]+\.py)::(?P<test>test_\w+)` \|$", re.MULTILINE
)


@pytest.mark.parametrize("name", PAGES)
def test_each_promise_names_a_test_that_exists(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    promises = list(ROW.finditer(page))
    assert len(promises) == len(rows) > 0
    for promise in promises:
        tree = ast.parse((ROOT / promise["file"]).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert promise["test"] in defined, promise[0]
