"""Links of the pages: each file and each heading that a page names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT

PAGES = [
    *sorted(ROOT.glob("*.md")),
    ROOT / "results" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)")
WORKFLOW = re.compile(r"\.\./\.\./actions/workflows/(?P<file>[\w.]+)(?:/badge\.svg)?")
"""A badge of CI: relative, because it is the same in every copy of the repository."""


def prose(page: str) -> str:
    """The page without fenced blocks and spans of code."""
    return re.sub(r"`[^`\n]+`", "", re.sub(r"^( *)```.*?^\1```", "", page, flags=re.M | re.S))


def anchors(page: str) -> set[str]:
    """Names that links of a page may end in: headings, as GitHub names them, and `<a id>`."""
    found = set(re.findall(r'<a id="([^"]+)">', page))
    for heading in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page, flags=re.M | re.S), flags=re.M):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-"))
    return found


def wrong(page: Path, text: str) -> Iterator[str]:
    """Links of a page's text that lead nowhere."""
    for link in LINK.findall(prose(text)):
        workflow = WORKFLOW.fullmatch(link)
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if workflow:
            leads = (ROOT / ".github" / "workflows" / workflow["file"]).is_file()
        elif re.match(r"[a-z]+:", link):
            leads = True
        elif not target.exists() or not target.is_relative_to(ROOT):
            leads = False
        else:
            leads = not anchor or anchor in anchors(target.read_text(encoding="utf-8") if name else text)
        if not leads:
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not list(wrong(page, page.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "planted",
    [
        "[x](nowhere.md)",
        "[x](glossary.md#nowhere)",
        "[x](#nowhere)",
        "![x](../../actions/workflows/no.yml/badge.svg)",
    ],
)
def test_a_broken_link_is_found(planted: str) -> None:
    page = ROOT / "docs" / "compare.md"
    assert not list(wrong(page, "## A word, `code`\n[x](glossary.md#glossary) [x](#a-word-code) `[x](y)`"))
    assert list(wrong(page, planted))
