"""Generated parts of the docs site: a hook of mkdocs (mkdocs.yml), and nothing that the command line needs.

    verbs       the page cli.md has a marker, in whose place each verb's help is put, from click itself
    root pages  CONTRIBUTING.md and CHANGELOG.md belong to the site, and stay at the top of the repository
    links       a link to a file outside docs/ leads to a root page on the site, or is plain text

`scripts/docs` builds the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import cli
from bench.cli.verbs import SECTIONS, Verb

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
ROOT_PAGES = ("CONTRIBUTING.md", "CHANGELOG.md")
MARKER = "<!-- verbs -->"
LINK = re.compile(r"(?P<text>\[[^\]\n]*\])\((?P<target>[^)\s]+)\)")


def cell(text: str) -> str:
    """A text within a table of Markdown, where nothing in it is markup."""
    return re.sub(r"([|<>*_\[\]])", r"\\\1", " ".join(text.split()))


def option_rows(command: click.Command, context: click.Context) -> Iterator[str]:
    """A row for each option: its names, and its help with the default."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in record[0]:
            names, meaning = record
            yield f"| `{names}` | {cell(meaning)} |"


def verb_help(path: tuple[str, ...], command: click.Command) -> str:
    """Usage, lesson and options of one verb."""
    context = click.Context(command, info_name=" ".join(("python -m bench", *path)))
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    parts = [f"### {' '.join(path)}", f"```text\n{usage}\n```", lesson(command.help or "")]
    if rows := list(option_rows(command, context)):
        parts.append("\n".join(("| option | meaning |", "|---|---|", *rows)))
    return "\n\n".join(parts)


def lesson(text: str) -> str:
    """A help text as Markdown: what click keeps as it is (after `\\b`) is a block, the rest paragraphs."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\f", "").strip()):
        if paragraph.lstrip().startswith("\b"):
            found.append("```text\n" + paragraph.replace("\b\n", "").replace("\b", "") + "\n```")
        else:
            found.append(re.sub(r"([<*_\[])", r"\\\1", " ".join(paragraph.split())))
    return "\n\n".join(found)


def verbs_page() -> str:
    """Help of all verbs, by the sections of `--help`."""
    parts = []
    for section, verbs in SECTIONS.items():
        parts.append(f"## {section}")
        parts += [verb_help(path, command) for path, command in within((), verbs, cli)]
    return "\n\n".join(parts)


def within(
    above: tuple[str, ...], verbs: dict[str, Verb], group: click.Group
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Verbs that run, of a group and the groups in it, with their whole path."""
    for name, verb in verbs.items():
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from within((*above, name), dict(verb.verbs), command)
        elif command is not None:
            yield (*above, name), command


def site_links(page: str, markdown: str) -> str:
    """Links of a page as the site has them."""
    at = (ROOT / page if page in ROOT_PAGES else ROOT / "docs" / page).parent

    def mended(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        file = (at / target).resolve()
        if file.is_relative_to(ROOT / "docs"):
            name = file.relative_to(ROOT / "docs")
        elif str(file.relative_to(ROOT)) in ROOT_PAGES:
            name = file.relative_to(ROOT)
        else:
            return match["text"][1:-1]
        up = "../" * (len(Path(page).parts) - 1)
        return f"{match['text']}({up}{name}{'#' + anchor if anchor else ''})"

    return LINK.sub(mended, markdown)


def site_cells(markdown: str) -> str:
    """Code in tables as Python-Markdown reads it, where a bar needs no backslash."""

    def mended(row: re.Match[str]) -> str:
        return re.sub(r"`[^`\n]+`", lambda code: code[0].replace("\\|", "|"), row[0])

    return re.sub(r"^\|.*$", mended, markdown, flags=re.M)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the top of the repository."""
    from mkdocs.structure.files import File

    for name in ROOT_PAGES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put generated parts and the site's links into a page."""
    if MARKER in markdown:
        return markdown.replace(MARKER, verbs_page())
    return site_links(page.file.src_uri, site_cells(markdown))
