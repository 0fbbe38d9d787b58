"""The docs site: every page has its place, every verb its help, and links fit the site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bench.cli.verbs import VERBS
from scripts import docs_site
from tests.cli.commands import command
from tests.support.processes import ROOT


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose slugs are a Python object that this test does not need."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
SITE: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)


def entries(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        yield from [value] if isinstance(value, str) else entries(value)


def test_every_page_has_its_place_in_the_navigation_once() -> None:
    docs = ROOT / "docs"
    pages = {str(path.relative_to(docs)) for path in docs.rglob("*.md")} | set(docs_site.ROOT_PAGES)
    assert sorted(entries(SITE["nav"])) == sorted(pages)


def test_the_site_is_strict_and_asks_no_other_host() -> None:
    assert SITE["strict"] is True
    assert SITE["theme"]["font"] is False
    assert set(SITE["validation"].values()) == {"warn"}


def test_every_verb_has_its_help_with_all_options() -> None:
    page = docs_site.verbs_page()
    for path in VERBS:
        _, heading, rest = page.partition(f"\n### {path}\n")
        assert heading, path
        part = rest.partition("\n### ")[0]
        names = [option for parameter in command(path).params for option in parameter.opts]
        assert not [name for name in names if name.startswith("--") and name not in part], path


@pytest.mark.parametrize(
    ("page", "link", "on_site"),
    [
        ("cli.md", "[a](records.md#traces)", "[a](records.md#traces)"),
        ("architecture.md", "[a](../CONTRIBUTING.md#the-rooms)", "[a](CONTRIBUTING.md#the-rooms)"),
        ("CONTRIBUTING.md", "[a](docs/glossary.md)", "[a](glossary.md)"),
        ("zh/tutorial.md", "[a](../index.md)", "[a](../index.md)"),
        ("zh/tutorial.md", "[a](../../README.zh.md)", "a"),
        ("catalogue.md", "[base.py](../bench/engines/base.py)", "base.py"),
        (
            "index.md",
            "![a](report-page.png) [b](#c) [d](https://e.f/)",
            "![a](report-page.png) [b](#c) [d](https://e.f/)",
        ),
    ],
)
def test_links_fit_the_site(page: str, link: str, on_site: str) -> None:
    assert docs_site.site_links(page, link) == on_site


def test_text_of_a_help_is_not_markup() -> None:
    assert docs_site.cell("A|B <c>_d_") == "A\\|B \\<c\\>\\_d\\_"
    assert docs_site.lesson("One\nline.\n\n\b\nas  it\n  is") == "One line.\n\n```text\nas  it\n  is\n```"


def test_a_bar_in_code_of_a_table_has_no_backslash() -> None:
    assert docs_site.site_cells("| `a \\| b` | c \\| d |\n`a \\| b`") == "| `a | b` | c \\| d |\n`a \\| b`"
