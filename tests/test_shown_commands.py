"""Command lines in texts: each one that is shown is taken, and every verb is shown."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from bench.cli.verbs import VERBS
from tests.cli.commands import find
from tests.support.processes import ROOT

PAGES = [
    *sorted(ROOT.glob("README*.md")),
    ROOT / "results" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
TEXTS = [
    *PAGES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "models.yaml",
    *sorted((ROOT / "bench").rglob("*.yaml")),
    *sorted((ROOT / "bench").rglob("*.j2")),
    *(path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and not path.suffix),
]
SOURCES = [
    ROOT / "joulebench_pytest.py",
    *(path for folder in ("bench", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))),
]
CALL = re.compile(
    r"(?:python -m bench|(?<=scripts/)bench|(?<=`)bench|(?<=`)joulebench|\$ joulebench)"
    r" (?P<line>[a-z][^`\n]*)"
)
"""As typed after a prompt, named in a sentence, or in short within backticks."""
RUN = re.compile(r"^ *\$ scripts/run\b(?P<line>[^`\n]*)")
"""The script that has a verb in its name."""


class Shown(NamedTuple):
    """A command line in a text."""

    where: str
    words: tuple[str, ...]
    whole: bool
    """Whether it is a line to be typed as it is, not a mention."""


def in_text(path: Path, text: str) -> Iterator[Shown]:
    for number, line in enumerate(text.splitlines(), 1):
        for match in [*CALL.finditer(line), *RUN.finditer(line)]:
            verb = "run" if match.re is RUN else ""
            typed = verb + re.split(r"\s#|\s?&&|\s\||\s?>|;", match["line"])[0]
            whole = bool(verb) or re.fullmatch(r" *\$ (\S+/)?", line[: match.start()]) is not None
            words = (word if whole else word.rstrip(".,:") or word for word in shlex.split(typed))
            yield Shown(f"{path.relative_to(ROOT)}:{number}", tuple(words), whole)


def strings(path: Path) -> Iterator[str]:
    """Docstrings, help texts and sentences of a module; what is filled in later is an X."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else " X " for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            yield node.value


@cache
def shown() -> list[Shown]:
    found = [one for path in TEXTS for one in in_text(path, path.read_text(encoding="utf-8"))]
    for path in SOURCES:
        found += [one for text in strings(path) for one in in_text(path, text)]
    return found


def test_the_texts_are_read() -> None:
    found = shown()
    assert {one.where.partition(":")[0] for one in found} >= {
        "README.md",
        "docs/footprint.md",
        "bench/cli/__init__.py",
        "bench/footprint/references.py",
        "bench/store/peaks.py",
        "models.yaml",
        "CHANGELOG.md",
    }
    assert sum(one.whole for one in found) > 50


@pytest.mark.parametrize("one", shown(), ids=lambda one: f"{one.where} {' '.join(one.words)}")
def test_a_command_line_that_is_shown_is_taken(one: Shown) -> None:
    """Verb and options exist; of a line to be typed, values and arguments are taken too."""
    context, rest = find(one.words)
    assert not isinstance(context.command, click.Group) or not rest or rest == ["--help"]
    if one.whole:
        context.command.make_context(str(context.info_name), rest, parent=context.parent)
    else:
        context.command.make_parser(context).parse_args(
            [*rest, "X", "X"]
        )  # values of an option that is only named


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_shown_in_a_page(verb: str) -> None:
    pages = {str(path.relative_to(ROOT)) for path in PAGES}
    assert any(
        " ".join(one.words[: len(verb.split())]) == verb
        for one in shown()
        if one.where.partition(":")[0] in pages
    )
