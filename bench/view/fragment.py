"""Sections as a piece of HTML for the page of another program, such as a notebook.

    html([Section("Figures", (table(columns("what", "#J"), [("gross", 412.0)]),))])

Without styles, scripts or packages; charts and panels are left out. Nothing from a record is ever markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from bench.view.content import (
    PAIRS,
    Cell,
    Column,
    Fold,
    Section,
    SectionPart,
    Statement,
    Table,
    clean,
    shown,
    tone,
)

LONGEST_PARAGRAPH = 4000


def html(parts: Iterable[Section | SectionPart]) -> str:
    """The parts in one `<div>`."""
    return f"<div>{''.join(_parts(parts))}</div>"


def _parts(parts: Iterable[Section | SectionPart]) -> Iterator[str]:
    for part in parts:
        match part:
            case "":
                continue
            case str():
                yield f"<p>{_text(part)}</p>"
            case Statement():
                yield f"<p><strong>{_text(part.about)}:</strong> {_text(part.text)}</p>"
            case Section():
                yield f"<p><strong>{_text(part.title)}</strong></p>" if part.title else ""
                yield from _parts((*part.parts, *part.notes))
            case Table():
                yield _table(part)
            case Fold(parts=()):
                yield f"<p><strong>{_text(part.summary)}</strong></p>"
            case Fold():
                yield f"<details><summary>{_text(part.summary)}</summary>"
                yield from _parts(part.parts)
                yield "</details>"


def _table(found: Table) -> str:
    caption = f"<caption>{_text(found.caption)}</caption>" if found.caption else ""
    heads = "".join(f"<th{_aligned(column)}>{_text(column.name)}</th>" for column in found.columns)
    head = "" if found.columns == PAIRS else f"<thead><tr>{heads}</tr></thead>"
    rows = (
        "".join(_cell(cell, column) for cell, column in zip(row.cells, found.columns, strict=True))
        for row in found.rows
    )
    return f"<table>{caption}{head}<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


def _cell(value: Cell, column: Column) -> str:
    """A cell; what got better or worse is bold."""
    text = escape(shown(value, column.digits))
    strong = tone(value) in ("good", "bad")
    return f"<td{_aligned(column)}>{f'<strong>{text}</strong>' if strong else text}</td>"


def _aligned(column: Column) -> str:
    return f' style="text-align: {"right" if column.numeric else "left"}"'


def _text(text: str) -> str:
    return escape(clean(text, LONGEST_PARAGRAPH))
