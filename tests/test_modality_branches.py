"""No code but a modality's own files goes by the type of its options or by its name."""

from __future__ import annotations

import ast
from pathlib import Path

from bench.core import modalities
from tests.support.processes import ROOT

OWN_FOLDERS = ("bench/core", "bench/engines", "bench/roofline/phases")
"""Where files of a modality are, each found by its name."""
ROOMS = [
    path
    for path in sorted((ROOT / "bench").rglob("*.py"))
    if not any(path.is_relative_to(ROOT / folder) for folder in OWN_FOLDERS)
]


def options_used(path: Path) -> set[str]:
    """Types of options that a module imports."""
    types = {modality.options.__name__ for modality in modalities.all_modalities()} | {"DiffusionOptions"}
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    } & types


def test_the_search_finds_what_it_looks_for() -> None:
    assert options_used(ROOT / "bench/engines/memory/text.py") == {"TextOptions"}


def test_no_room_goes_by_the_type_of_a_modality_s_options() -> None:
    assert len(ROOMS) > 300
    named = {str(path.relative_to(ROOT)): found for path in ROOMS if (found := options_used(path))}
    assert named == {"bench/footprint/drafts/judge.py": {"TextOptions"}}, "a judge is a model that writes"
