"""The model of all output: sections of paragraphs, tables and charts, before they are rendered.

    table(columns("case", "#J"), [("bloom-560m", 412.3)], "Every case", "cases")

Terminal, HTML, Markdown and JSON render the same objects, so they cannot differ in a figure. Each renderer
cleans text from records (`clean`, `printable`): control characters and marks of direction reach no reader.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from bench.core.secrets import masked
from bench.view.numbers import NOT_KNOWN, digits
from bench.view.panel import Panel
from bench.view.printable import printable

Tone = Literal["good", "warn", "bad", "quiet"]


class Written(NamedTuple):
    """A cell with its own text, such as `412 ± 6`, and the number for sorting and download."""

    text: str
    value: float | None = None
    tone: Tone | None = None


Cell = str | int | float | Written | None
"""A cell. `None` is not known, and shown as a dash; a float has the digits of its column."""

LONGEST = 300
"""Longest cell of a page in characters; a longer text is cut."""
LONGEST_SECRET = 1000
"""So many characters past a cut are searched for secrets: a piece of one would be found by nothing."""
JOINER = "\u200d"
"""Holds an emoji together, and is the one character without a shape that may stay on a page."""


def clean(text: str, longest: int = LONGEST) -> str:
    """One line without control characters and marks of direction, cut where it is longer than that.

    A text too long for any cell has its length behind the cut.
    """
    if len(text) <= longest and text.isprintable():
        return " ".join(text.split())
    # Cut first: a megabyte is not looked at character by character to show three hundred.
    part = masked(text[: longest + LONGEST_SECRET])[: longest + 1]
    seen = printable(" ".join(part.split()), JOINER)
    if len(text) <= longest:
        return seen
    return f"{seen[:longest]}…" + (f" ({len(text):,} characters)" if len(text) > LONGEST else "")


def in_words(value: Cell, significant: int = 3) -> str:
    """Text of a cell: a number with its significant digits, a dash for an unknown value."""
    match value:
        case None:
            return NOT_KNOWN
        case Written(text=text):
            return text
        case float():
            return digits(value, significant)
    return str(value)


def shown(value: Cell, significant: int = 3) -> str:
    """Text of a cell on a page, cleaned."""
    return clean(in_words(value, significant))


def raw(value: Cell) -> float | None:
    """Number of a cell, for sorting and download; `None` for a text."""
    number = value.value if isinstance(value, Written) else value
    return None if isinstance(number, str) else number


def tone(value: Cell) -> Tone | None:
    """Tone of a cell, for colours and marks."""
    return value.tone if isinstance(value, Written) else None


@dataclass(frozen=True)
class Column:
    """A column's heading, with the unit of a number in it.

    `digits` are significant ones. A column that is `aside` hangs beneath its row on a narrow terminal.
    """

    name: str
    numeric: bool = False
    digits: int = 3
    aside: bool = False


@dataclass(frozen=True)
class TableRow:
    """A row's cells; `case` links to the details of a case, `invalid` lets a reader hide it.

    A `command` is printed beneath the row on one line, to be copied.
    """

    cells: tuple[Cell, ...]
    case: str | None = None
    invalid: bool = False
    command: str | None = None


@dataclass(frozen=True)
class Table:
    """A table with its caption."""

    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    caption: str = ""
    id: str = ""


def columns(*names: str, aside: Collection[str] = ()) -> tuple[Column, ...]:
    """Make columns from names. `#` before a name: numbers of three digits; each further `#`: one more."""
    plain = [name.lstrip("#") for name in names]
    marks = [len(name) - len(rest) for name, rest in zip(names, plain, strict=True)]
    return tuple(
        Column(name, count > 0, 2 + count, name in aside) for name, count in zip(plain, marks, strict=True)
    )


def table(
    heads: Iterable[Column], rows: Iterable[TableRow | Iterable[Cell]], caption: str = "", name: str = ""
) -> Table:
    """Make a table from rows or from bare cells."""
    made = (row if isinstance(row, TableRow) else TableRow(tuple(row)) for row in rows)
    return Table(tuple(heads), tuple(made), caption, name)


PAIRS = columns("what", "value")
"""Columns of a list of names and values; a terminal leaves out this header."""


def pairs(values: Iterable[tuple[str, Cell]], caption: str = "", name: str = "") -> Table:
    """Make a list of names and values."""
    return table(PAIRS, values, caption, name)


@dataclass(frozen=True)
class Chart:
    """A drawing; `about` is its text for who cannot see it, `table` the id of the same in numbers.

    `takeaway` is its finding, the title where the picture explains itself elsewhere. `footer` has what it
    rests on: records with a mark in it, sources, conditions and date.

    `draw` gives its Vega-Lite specification, and is called only where something is drawn: Markdown needs
    none of the packages that charts need.
    """

    id: str
    about: str
    draw: Callable[[], dict[str, Any]]
    table: str
    takeaway: str = ""
    footer: str = ""


@dataclass(frozen=True)
class Statement:
    """A sentence with the words that it is about in front: `A person alone` and what follows."""

    about: str
    text: str


@dataclass(frozen=True)
class Fold:
    """Parts behind one line, closed until a reader opens it; renderers without folds show all."""

    summary: str
    parts: tuple[SectionPart, ...]


SectionPart = str | Statement | Table | Chart | Panel | Fold
"""A string is a paragraph."""


@dataclass(frozen=True)
class Section:
    """Parts under one heading, with remarks at the end."""

    title: str = ""
    parts: tuple[SectionPart, ...] = ()
    notes: tuple[str, ...] = ()
    id: str = ""


def every_part(sections: Iterable[Section]) -> Iterator[SectionPart]:
    """All parts of some sections, those inside folds included."""
    for section in sections:
        yield from _unfolded(section.parts)


def _unfolded(parts: Iterable[SectionPart]) -> Iterator[SectionPart]:
    for part in parts:
        yield part
        if isinstance(part, Fold):
            yield from _unfolded(part.parts)


@dataclass(frozen=True)
class KeptOutput:
    """A page's text, an image, a sound or a film that a run kept; the last three as `data:` addresses."""

    name: str
    text: str | None = None
    image: str | None = None
    audio: str | None = None
    video: str | None = None
    reason: str | None = None
    """Reason for not showing it."""


@dataclass(frozen=True)
class Timeline:
    """Samples of a case, a row a stretch of time; without rows `about` has the reason.

    A row: seconds since the first block, least, mean and most watts, °C, clocks of SM and memory in MHz, and
    which bits of `throttles` were set.
    """

    about: str
    rows: tuple[tuple[float | None, ...], ...] = ()
    width_s: float = 0.0
    throttles: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseDetails:
    """Everything of one record. Its chart is drawn from `blocks`, a mapping a block, and `course`."""

    id: str
    label: str
    status: str
    reasons: tuple[str, ...]
    command: str | None
    tables: tuple[Table, ...]
    blocks: tuple[Mapping[str, Any], ...]
    course: Timeline
    idle_w: float | None
    outputs: tuple[KeptOutput, ...]


@dataclass(frozen=True)
class Report:
    """The whole: `settings` are what every figure that is not metered depends on.

    `banner` is a first line about records of toy models. `dateline` has what the title rests on, and when it
    was made; `takeaway` explains the first chart beneath its title, where it is shared as a picture.
    """

    title: str
    settings: tuple[str, ...]
    sections: tuple[Section, ...]
    cases: tuple[CaseDetails, ...]
    banner: str | None = None
    dateline: str = ""
    takeaway: str = ""
