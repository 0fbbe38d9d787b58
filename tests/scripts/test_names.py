"""Modules and files that texts and commands name exist, so that nothing is moved away from its readers."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from tests.support.processes import ROOT

NAMED = re.compile(
    r"(?:-m |module=|[\"'`])(?P<module>(?:scripts|tests)(?:\.\w+)+)\b(?![/.{])"
    r"|(?<![\w/.])(?P<path>(?:scripts|tests|bench)/(?![\w/-]*\bNAME\b)[\w/-]+(?:\.\w+)?)"
)
"""`NAME` in a path is to be filled in by the reader."""
TEXTS = [
    *(path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file()),
    *sorted((ROOT / "scripts").glob("*/*.py")),
    *sorted((ROOT / "bench").rglob("*.py")),
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github" / "workflows").iterdir()),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml", ".ci/run")),
]

MADE_LATER = {
    "bench/data/models.yaml",
    "bench/meters/gpus/toy_gpu.py",
    "bench/meters/sources/toy_wall.py",
    "bench/worker/producers/toy_endpoint.py",
}
"""In the installed package, and in a copy of the code that a test makes."""


def missing(text: str) -> list[str]:
    """Modules and paths in a text that do not exist."""
    modules = {match["module"] for match in NAMED.finditer(text) if match["module"]}
    paths = {match["path"] for match in NAMED.finditer(text) if match["path"]}
    return sorted(
        [name for name in modules if not _exists(name)]
        + [path for path in paths if not (ROOT / path).exists()]
    )


def _exists(name: str) -> bool:
    return find_spec(name.rpartition(".")[0]) is not None and find_spec(name) is not None


def test_a_name_that_leads_nowhere_is_found() -> None:
    text = "`tests/nowhere.py`, python -m scripts.gone x, 'tests.standin', scripts/facts, scripts/bench-facts"
    text += ", `bench/engines/NAME.py`, `bench/engines/UNNAMED.py`"
    assert missing(text) == [
        "bench/engines/UNNAMED.py",
        "scripts.gone",
        "scripts/bench-facts",
        "tests/nowhere.py",
    ]


def test_what_a_text_names_exists() -> None:
    names = {path: missing(path.read_text(encoding="utf-8")) for path in TEXTS if path != Path(__file__)}
    wrong = {str(path.relative_to(ROOT)): set(found) - MADE_LATER for path, found in names.items()}
    assert {path: found for path, found in wrong.items() if found} == {}
