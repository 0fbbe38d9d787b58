"""Sentences that docs/troubleshooting.md quotes are the program's own, with values in place of names."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = [
    line
    for block in re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.M | re.S)
    for line in block.splitlines()
]
VALUE, ANY = "\0", r"(?:(?!\. ).)*?"
"""The place of a value, and a value: no end of a sentence is in one."""
LETTER = re.compile("[A-Za-z]")
FEWEST_LETTERS = 6
"""A text of fewer letters beside its values, such as `{} in {}.`, would fit any sentence."""


def written(node: ast.AST) -> str:
    """The text of a string, formatted or not, with `VALUE` for each value."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(written(part) or VALUE for part in parts)
    return ""


@cache
def sentences() -> list[str]:
    """All texts of the program."""
    texts = {
        written(node)
        for path in sorted((ROOT / "bench").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr | ast.Constant)
    }
    return [
        text.strip() for text in texts if "\n" not in text and len(LETTER.findall(text)) >= FEWEST_LETTERS
    ]


def unknown(line: str) -> str:
    """What is left of a line without the texts of the program, in which any value fits."""
    fitting = [text for text in sentences() if all(part in line for part in text.split(VALUE))]
    patterns = [re.escape(text).replace(re.escape(VALUE), ANY) for text in fitting]
    spans = [match.span() for pattern in patterns for match in re.finditer(pattern, line)]
    left = "".join(
        letter for at, letter in enumerate(line) if not any(start <= at < end for start, end in spans)
    )
    return left.removeprefix("Error:")


@pytest.mark.parametrize("line", QUOTED)
def test_a_quoted_sentence_is_in_the_program(line: str) -> None:
    assert not re.search("[A-Za-z]{2}", unknown(line)), unknown(line)


def test_the_page_quotes_enough_and_a_sentence_of_no_program_is_found() -> None:
    assert len(QUOTED) > 30
    assert unknown("sdxl ran out of patience in stage denoise.")
    assert unknown(f"{QUOTED[1]} And then some more.")
