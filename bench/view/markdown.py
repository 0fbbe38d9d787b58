"""A report as Markdown: the same sentences and tables, for a job summary, a wiki or a terminal.

Charts are left to the HTML page; the table that each was drawn from is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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


def section_lines(section: Section) -> Iterator[str]:
    """One section by itself."""
    yield f"\n## {escaped(section.title)}\n"
    yield from _parts(section.parts)
    yield from (f"- {escaped(note)}" for note in section.notes)


def _parts(parts: Iterable[SectionPart]) -> Iterator[str]:
    for part in parts:
        match part:
            case str():
                yield f"{escaped(part)}\n"
            case Statement():
                yield f"**{escaped(part.about)}**: {escaped(part.text)}\n"
            case Table():
                yield from _table(part)
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
        yield _line(_cell(cell, head.digits) for cell, head in zip(row.cells, table.columns, strict=True))
    yield ""


def _line(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Cell, digits: int) -> str:
    """A cell; what got better or worse is bold."""
    strong = "**" if isinstance(value, Written) and value.tone in ("good", "bad") else ""
    return f"{strong}{escaped(shown(value, digits))}{strong}"


def escaped(text: str) -> str:
    """As it is: no tag, link, mention or table cell comes of it."""
    plain = re.sub(r"([\\`*_{}\[\]#|~@!])", r"\\\1", clean(text, 20_000))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
