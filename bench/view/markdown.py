"""Sections as Markdown: the same sentences and tables, for a job summary, an issue or a wiki.

    click.echo(markdown.text([section]), nl=False)
    Path("report.md").write_text(markdown.markdown(report))

Charts are left to the HTML page; the table that each was drawn from is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bench.invocation import as_started
from bench.view.content import (
    CaseDetails,
    Cell,
    Fold,
    Report,
    Section,
    SectionPart,
    Statement,
    Table,
    Written,
    clean,
    shown,
)

LONGEST_TEXT = 20_000
"""Characters of a text beyond which it is cut."""


def markdown(report: Report) -> str:
    """The whole report. Nothing from a record becomes markup."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {escaped(report.title)}"
    yield ""
    if report.banner is not None:
        yield f"> **{escaped(report.banner)}**\n"
    if report.dateline:
        yield f"{escaped(report.dateline)}\n"
    yield from (f"{escaped(setting)}  " for setting in report.settings)
    for section in report.sections:
        yield from section_lines(section)
    for case in report.cases:
        yield from _case(case)


def text(shown: Iterable[Section | SectionPart]) -> str:
    """A verb's answer, with the program named as it was started."""
    lines: list[str] = []
    for part in shown:
        lines += section_lines(part) if isinstance(part, Section) else _parts([part])
    return as_started("\n".join(lines)).strip("\n") + "\n"


def section_lines(section: Section) -> Iterator[str]:
    """One section by itself."""
    if section.title:
        yield f"\n## {escaped(section.title)}\n"
    yield from _parts(section.parts)
    yield from (f"- {escaped(note)}" for note in section.notes)
    if section.notes:
        yield ""


def _parts(parts: Iterable[SectionPart]) -> Iterator[str]:
    for part in parts:
        match part:
            case str():
                yield f"{escaped(part)}\n"
            case Statement():
                yield f"**{escaped(part.about)}**: {escaped(part.text)}\n"
            case Table():
                yield from _table(part)
            case Fold(parts=()):
                yield f"**{escaped(part.summary)}**\n"
            case Fold():
                yield f"\n### {escaped(part.summary)}\n"
                yield from _parts(part.parts)


def _case(case: CaseDetails) -> Iterator[str]:
    yield f"\n## Case {case.id}: {escaped(case.label)} ({case.status})\n"
    yield from (f"- {escaped(reason)}" for reason in case.reasons)
    if case.command is not None:
        yield f"\n{escaped(case.command)}\n"
    yield f"\n{escaped(case.course.about)}"
    for table in case.tables:
        yield from _table(table)
    for output in case.outputs:
        kind = "a sound" if output.audio else "a film" if output.video else "an image"
        said = output.text or output.reason or f"{kind}: see the HTML report"
        yield f"\nKept output {escaped(output.name)}: {escaped(said)}"


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield f"\n**{escaped(table.caption)}**\n"
    if not table.rows:
        yield "No rows.\n"
        return
    yield _line(escaped(column.name) for column in table.columns)
    yield "|" + "|".join("---:" if column.numeric else "---" for column in table.columns) + "|"
    for row in table.rows:
        *first, last = (_cell(cell, head.digits) for cell, head in zip(row.cells, table.columns, strict=True))
        yield _line([*first, f"{last} {_code(row.command)}" if row.command else last])
    yield ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(command: str) -> str:
    """A command to be copied; one with a backtick is text."""
    plain = clean(command, LONGEST_TEXT)
    return escaped(command) if "`" in plain else "`" + plain.replace("|", r"\|") + "`"


def _cell(value: Cell, digits: int) -> str:
    """A cell; what got better or worse is bold."""
    strong = "**" if isinstance(value, Written) and value.tone in ("good", "bad") else ""
    return f"{strong}{escaped(shown(value, digits))}{strong}"


def escaped(text: str) -> str:
    """As it is: no tag, link, mention or table cell comes of it."""
    plain = re.sub(r"([\\`*_{}\[\]#|~@!])", r"\\\1", clean(text, LONGEST_TEXT))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
