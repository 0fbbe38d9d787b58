"""Where things are: tests mirror the rooms, tools and helpers import no test."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT

SHARED = ("tests.standin", "tests.support")
"""What tools may take from `tests`."""
WHOLE_RUNS = Path("main_job")
MODULES = [path for folder in ("tests", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]
TEST_MODULES = {path for path in MODULES if path.name.startswith("test_")}


def imported(path: Path) -> Iterator[str]:
    """Full names of what a module imports, also in programs that it holds as text."""
    yield from _imported(path.read_text(encoding="utf-8"))


def _imported(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            case ast.Constant(value=str(inner)) if "import " in inner:
                try:
                    yield from _imported(inner)
                except SyntaxError:  # a sentence, or a part of a program
                    continue


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def test_imports_are_found_in_code_and_in_programs_within_it() -> None:
    text = (
        "import a.b\nfrom c import d\nprogram = 'import sys; from e.f import g as h'\nnote = 'an import duty'"
    )
    assert sorted(_imported(text)) == ["a.b", "c.d", "e.f.g", "sys"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_a_test_module(path: Path) -> None:
    """What two of them need belongs into a conftest, or into a module of helpers beside them."""
    names = {name for name in imported(path) if within(name, ("tests",))}
    assert not [name for name in names if within(name, tuple(map(dotted, TEST_MODULES)))]


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.is_relative_to(ROOT / "scripts") or "support" in path.parts],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_tools_and_what_they_share_with_tests_need_nothing_else_of_tests(path: Path) -> None:
    assert not [name for name in imported(path) if within(name, ("tests",)) and not within(name, SHARED)]


def test_tests_mirror_the_rooms_and_the_tools() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in TEST_MODULES} - {Path(), WHOLE_RUNS}
    mirrored = {
        folder: ROOT / ("" if folder.parts[0] == "scripts" else "bench") / folder for folder in folders
    }
    assert not [str(folder) for folder, original in mirrored.items() if not original.is_dir()]
