"""What a report says, before it is HTML or Markdown: sections of sentences, tables and charts.

    Table("cases", "Every case", (Column("case"), Column("J", numeric=True)), (Row(("bloom-560m", 412.3)),))

Both renderings are made of these, so that they cannot differ in a figure. Text from records is cleaned here
(`clean`): what cannot be seen, and what turns the reading direction, never reaches a page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.report.numbers import NOT_KNOWN, digits

Value = str | float | None
"""A cell. `None` is not known, and shown as a dash."""

LONGEST = 300
"""Characters of a cell; a text of a megabyte is no table cell."""
JOINER = "\u200d"
"""Holds an emoji together, and is the one character without a shape that may stay."""


def clean(text: str, longest: int = LONGEST) -> str:
    """One line without control characters and marks of direction, cut where it is longer than that.

    Of a text that no cell could hold, how long it is stands behind the cut.
    """
    if len(text) <= longest and text.isprintable():
        return " ".join(text.split())
    # Cut first: a megabyte is not looked at character by character to show three hundred.
    kept = " ".join(text[: longest + 1].split())
    seen = "".join(each if each.isprintable() or each == JOINER else "\ufffd" for each in kept)
    if len(text) <= longest:
        return seen
    return f"{seen[:longest]}…" + (f" ({len(text):,} characters)" if len(text) > LONGEST else "")


def shown(value: Value) -> str:
    """A cell in words: three digits of a number, a dash for what is not known."""
    if value is None:
        return NOT_KNOWN
    return clean(value) if isinstance(value, str) else digits(value)


def apart(labels: Sequence[tuple[str, str]]) -> list[str]:
    """Labels with their ids, each different: before those that are not, a word of the id that tells them."""
    ids = defaultdict(list)
    for label, key in labels:
        ids[label].append(key)
    return [f"{_telling(key, ids[label])} {label}" if len(ids[label]) > 1 else label for label, key in labels]


def _telling(key: str, keys: Sequence[str]) -> str:
    """The first word of an id that not all have alike, cut where it is a digest."""
    words = [each.split(".") for each in keys]
    alike = next((n for n, found in enumerate(zip(*words, strict=False)) if len(set(found)) > 1), 0)
    return key.split(".")[alike][:5]


@dataclass(frozen=True)
class Column:
    """A column's heading. The unit of a numeric one stands in its name."""

    name: str
    numeric: bool = False


@dataclass(frozen=True)
class Row:
    """A row's cells; `case` leads to the details of a case, `invalid` lets a reader hide it."""

    cells: tuple[Value, ...]
    case: str | None = None
    invalid: bool = False


@dataclass(frozen=True)
class Table:
    """A table and what it shows."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Chart:
    """A drawing; `about` is its text for who cannot see it, `table` the id of the same in numbers.

    `draw` gives its Vega-Lite specification, and is called only where something is drawn: Markdown needs
    none of the packages that charts need.
    """

    id: str
    about: str
    draw: Callable[[], dict[str, Any]]
    table: str


@dataclass(frozen=True)
class Slider:
    """An input of a scenario that the reader moves."""

    key: str
    about: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Choice:
    """A scenario with one energy in it: every input at its value, and those that have a slider."""

    label: str
    about: str
    unit: str
    sides: tuple[str, ...]
    values: Mapping[str, float]
    units: Mapping[str, str]
    """Of the inputs that it counts."""
    sliders: tuple[Slider, ...]
    leaves_out: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """Scenarios that are worked out anew as the reader changes them. The table before it has their values."""

    id: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Section:
    """A part of the report under a heading of its own."""

    id: str
    title: str
    sentences: tuple[str, ...] = ()
    parts: tuple[Table | Chart | Panel, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """A page's text, an image or a sound that a run kept; the last two as `data:` addresses."""

    name: str
    text: str | None = None
    image: str | None = None
    audio: str | None = None
    reason: str | None = None
    """Why it is not shown."""


@dataclass(frozen=True)
class Course:
    """What was sampled while a case ran, a row a stretch of time; without rows `about` says why.

    A row: seconds since the first block, least, mean and most watts, °C, clocks of SM and memory in MHz, and
    which bits of `throttles` were set.
    """

    about: str
    rows: tuple[tuple[float | None, ...], ...] = ()
    width_s: float = 0.0
    throttles: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """Everything of one record. Its chart is drawn from `blocks`, a mapping a block, and `course`."""

    id: str
    label: str
    status: str
    reasons: tuple[str, ...]
    command: str | None
    tables: tuple[Table, ...]
    blocks: tuple[Mapping[str, Any], ...]
    course: Course
    idle_w: float | None
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Report:
    """The whole: `settings` are what every figure that is not metered depends on.

    `banner` says of records that are of no model what they are, before anything else.
    """

    title: str
    settings: tuple[str, ...]
    sections: tuple[Section, ...]
    cases: tuple[Case, ...]
    banner: str | None = None
