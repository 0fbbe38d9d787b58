"""Examples and names in docstrings exist: modules, attributes, callables and their parameters."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.examples import Example, example
from tests.support.package_names import PackageNames, dotted
from tests.support.processes import ROOT

SOURCES = sorted([*(ROOT / "bench").rglob("*.py"), ROOT / "joulebench_pytest.py"])
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
NAMES = PackageNames.read({dotted(path, ROOT): tree for path, tree in TREES.items()})


def faults(module: str, docstring: str) -> list[str]:
    return Example(module, NAMES).read(example(docstring))


def docstring_of(path: Path) -> str:
    match TREES[path].body:
        case [ast.Expr(value=ast.Constant(value=str(text))), *_]:
            return text
    return ""


def test_examples_name_what_exists() -> None:
    found = {path: faults(dotted(path, ROOT), docstring_of(path)) for path in SOURCES}
    assert {path: lost for path, lost in found.items() if lost} == {}


SUFFIXES = {"py", "yaml", "json", "jsonl", "md", "css", "js", "csv", "parquet", "duckdb", "toml"}
KEYS = {"idle", "speech", "_cpu"} | set(NAMES.classes["Record"][0].values)
"""First parts of dotted names that are no names of the code: keys of scenarios, of chains and of a record."""


def lost_names(module: str, docstring: str) -> list[str]:
    """Dotted names between backticks that the package does not have."""
    lost = []
    for name in re.findall(r"`(bench(?:\.\w+)+)`", docstring):
        parts = name.split(".")
        inside = next(n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in NAMES.modules)
        if parts[inside:] and not NAMES.of_module(".".join(parts[:inside]), parts[inside]):
            lost.append(name)
    for base, name in re.findall(
        r"`(?!joulebench\.)([A-Za-z_]\w*)\.(\w+)(?:\.\w+)*(?:\([^`]*\))?`", docstring
    ):
        if base not in {"bench", *KEYS} and name not in SUFFIXES and Example(module, NAMES).lacks(base, name):
            lost.append(f"{base}.{name}")
    return lost


def lost_members(package: str, docstring: str) -> list[str]:
    """Words between backticks and listed modules that do not exist; modules that a list of files lacks."""
    inside = {name.rsplit(".", 1)[1] for name in NAMES.modules if name.rpartition(".")[0] == package}
    if not inside:
        return []
    known = {part for other in NAMES.modules for part in other.split(".")} | NAMES.attributes
    known |= {name for members in NAMES.modules.values() for name in members}
    lost = [name for name in re.findall(r"`([A-Za-z_]\w*)`", docstring) if name not in known]
    listed = re.findall(r"^ {4,}(\w+)(?:\.py|/)? {2,}\w", docstring, re.MULTILINE)
    if re.search(r"^ {4,}\w+\.py {2,}\w", docstring, re.MULTILINE):
        lost += [f"not listed: {name}" for name in inside if not re.search(rf"\b{name}(\.py|/)", docstring)]
    return lost + [name for name in listed if name not in inside]


def test_names_in_sentences_exist() -> None:
    lost = {}
    for path in SOURCES:
        module = dotted(path, ROOT)
        nodes = [
            n for n in ast.walk(TREES[path]) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)
        ]
        names = [name for node in nodes for name in lost_names(module, ast.get_docstring(node) or "")]
        lost[path] = names + lost_members(module, docstring_of(path))
    assert {path: names for path, names in lost.items() if names} == {}


TYPES = {name for name in NAMES.classes if re.fullmatch(r"(?:[A-Z][a-z0-9]+){2,}", name)} - {"CodeCarbon"}


def headings(tree: ast.Module) -> Iterator[str]:
    """What is shown: the texts of sections, tables and columns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Section", "table", "columns", "Chart"}:
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_no_heading_is_the_name_of_a_type() -> None:
    """A rename of a type may hit a text that has the same word."""
    shown = {text for tree in TREES.values() for text in headings(tree)}
    assert "Assumptions" in shown
    assert not [text for text in shown if TYPES & set(re.findall(r"\w+", text))]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("comparison.compare(a, b)", None),
        ("found = comparison.compare(a, b)\n    found.comparisons[0].verdict", None),
        ("for one in comparison.compare(a, b).comparisons:\n        one.label", None),
        ("comparison.compare(...)", None),
        ("comparison.judge(a, b)", "comparison.judge: no judge of Comparison"),
        ("comparison.compare(a)", "comparison.compare(...): lacks b"),
        ("comparison.compare(a, b, c)", "comparison.compare(...): 3 positional arguments, not 2"),
        ("comparison.compare(a, b, a=c)", "comparison.compare(...): a given twice"),
        ("comparison.compare(a, b, floor=c)", "comparison.compare(...): no parameter floor"),
        ("comparison.compare(a, b).sides", "comparison.compare(a, b).sides: no sides of ComparisonResult"),
        ("judged_pairs(a, b)", "judged_pairs(...)"),
        ("record.figures.energy", "record.figures.energy: no energy of Figures"),
        ("MeterSet(nvml, rapl, codecarbon, samples, gpus=[uuid])", "MeterSet(...): gpus given twice"),
    ],
)
def test_what_does_not_exist_is_found(line: str, fault: str | None) -> None:
    assert faults("bench.compare", f"Comparison.\n\n    {line}\n") == ([fault] if fault else [])


def test_most_examples_are_read() -> None:
    """The fewest that there may be: an example that is no Python is a listing, and is not looked into."""
    assert sum(bool(example(docstring_of(path)).body) for path in SOURCES) > 100
