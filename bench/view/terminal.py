"""Sections as text for a terminal or a pipe.

    click.echo(terminal.text([section]), nl=False)

A table is drawn without borders. Where it is wider than the terminal, long texts are wrapped within columns,
down to `NARROW`; then whole columns hang beneath their rows, first those that are `aside`, from right to
left. Numbers are never wrapped, and no known value is left out. A pipe gets no colours, and tables of
`PIPE_WIDTH` columns. Prose has one rule everywhere: lines of at most `PROSE_WIDTH` characters.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TextIO, TypeGuard

from rich.cells import cell_len, chop_cells

from bench.core.secrets import masker
from bench.invocation import as_started
from bench.view.content import (
    PAIRS,
    Fold,
    Section,
    SectionPart,
    Statement,
    Table,
    TableRow,
    Written,
    in_words,
)
from bench.view.printable import printable

SectionsAndParts = Iterable[Section | SectionPart]
"""What a verb shows: sections, or parts by themselves."""

PIPE_WIDTH = 180
"""Columns of a table in a pipe: as on a wide terminal."""
PROSE_WIDTH = 80
"""Most characters of a line of prose, on a terminal and in a pipe: longer ones are hard to read."""
NARROW = 20
"""Least width of a column of wrapped text, in cells."""
GAP = "  "
CODES = {"bold": "1", "quiet": "2", "good": "32", "warn": "33", "bad": "31"}
"""Select Graphic Rendition of ECMA-48."""


class Room(NamedTuple):
    """Space for lines: cells of a line of a table and of prose, and whether styles are allowed."""

    columns: int
    prose: int
    styled: bool = False

    @classmethod
    def of(cls, stream: TextIO | None) -> Room:
        """Space of a stream."""
        if not is_terminal(stream):
            return cls(PIPE_WIDTH, PROSE_WIDTH)
        columns = _columns(stream)
        styled = os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
        return cls(columns, min(columns, PROSE_WIDTH), styled)

    def style(self, line: str, style: str | None) -> str:
        """Add a style to a line, where styles are allowed."""
        return f"\x1b[{CODES[style]}m{line}\x1b[0m" if self.styled and style and line.strip() else line


def _columns(stream: TextIO) -> int:
    """Width of a terminal: from the environment, else its own."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isdigit() and int(stated) > 0:
        return int(stated)
    try:
        return os.get_terminal_size(stream.fileno()).columns or PIPE_WIDTH
    except (OSError, ValueError):  # a stream without a file
        return PIPE_WIDTH


def is_terminal(stream: TextIO | None) -> TypeGuard[TextIO]:
    """Whether a stream is open and a terminal."""
    return stream is not None and stream.isatty()


def text(shown: SectionsAndParts, stream: TextIO | None = None) -> str:
    """Render everything for a stream (stdout by default)."""
    whole = "".join(f"{line}\n" for line in lines(shown, Room.of(stream or sys.stdout)))
    return whole.removeprefix("\n")


def lines(shown: SectionsAndParts, room: Room) -> Iterator[str]:
    """Render line by line, with an empty line before each section."""
    for number, part in enumerate(shown):
        if isinstance(part, Section):
            yield ""
            yield from _bold(part.title, room)
            yield from lines(part.parts, room)
            for note in part.notes:
                yield from prose(f"- {as_started(note)}", room.prose, GAP)
        elif isinstance(part, str):
            yield from prose(as_started(part), room.prose)
        elif isinstance(part, Statement):
            yield from prose(f"{part.about}: {part.text}", room.prose)
        elif isinstance(part, Fold):
            yield from _bold(part.summary, room)
            yield from lines(part.parts, room)
        elif isinstance(part, Table):
            yield from [""] if number and part.caption else []
            yield from _bold(part.caption, room)
            yield from _Grid(part, room).lines()


def _bold(title: str, room: Room) -> Iterator[str]:
    if title:
        yield from (room.style(line, "bold") for line in prose(title, room.prose))


def prose(sentence: str, room: int = PROSE_WIDTH, further: str = "") -> Iterator[str]:
    """Wrap a sentence; a word longer than a line, such as a path, stays whole, to be copied."""
    return _broken(printable(sentence), room, further, lambda word, _: [word])


def wrapped(words: str, room: int, further: str = "") -> Iterator[str]:
    """Wrap a text into lines of at most `room` cells; a word longer than a line is split."""
    return _broken(words, room, further, chop_cells)


def _broken(words: str, room: int, further: str, pieces: Callable[[str, int], list[str]]) -> Iterator[str]:
    """Lines of a text; those after the first begin with `further`. Leading spaces are kept."""
    if cell_len(words) <= room:
        yield words
        return
    rest = words.lstrip(" ")
    before, line = words[: len(words) - len(rest)], ""
    for word in rest.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(before + joined) <= room:
            line = joined
            continue
        if line:
            yield before + line
            before = further
        *whole, line = pieces(word, max(2, room - cell_len(before))) or [""]
        for piece in whole:
            yield before + piece
            before = further
    yield before + line


class _Grid:
    """Layout of a table for a given width."""

    def __init__(self, table: Table, room: Room) -> None:
        self._table, self._room = table, room
        self._heads = [printable(column.name) for column in table.columns]
        self._headed = table.columns != PAIRS and any(self._heads)
        mask = masker()  # before a narrow column cuts a secret in two
        self._texts = [
            [
                printable(mask(in_words(cell, column.digits)))
                for cell, column in zip(row.cells, table.columns, strict=True)
            ]
            for row in table.rows
        ]
        beneath = list(zip(*self._texts, strict=True)) or [()] * len(self._heads)
        self._cells = [max(map(cell_len, texts), default=0) for texts in beneath]
        self._widths = self._fitted()

    def lines(self) -> Iterator[str]:
        """Header, and each row with the columns that hang beneath it."""
        if self._headed:
            yield from self._drawn(self._heads, ["quiet"] * len(self._heads))
        for row, texts in zip(self._table.rows, self._texts, strict=True):
            yield from self._drawn(
                texts, [cell.tone if isinstance(cell, Written) else None for cell in row.cells]
            )
            yield from self._beneath(row, texts)

    def _fitted(self) -> dict[int, int]:
        """Width of each column that stays in the rows."""
        heads, columns = self._heads if self._headed else [""] * len(self._heads), self._table.columns
        wide = [max(cells, cell_len(head)) for cells, head in zip(self._cells, heads, strict=True)]
        if _total(wide) <= self._room.columns:
            return dict(enumerate(wide))
        least = [self._least(n, wide[n], head) for n, head in enumerate(heads)]
        kept = self._kept(least)
        whole = [wide[n] if columns[n].numeric else least[n] for n in kept]
        if _total(whole) <= self._room.columns:  # else headers of numbers are wrapped
            least = [wide[n] if columns[n].numeric else each for n, each in enumerate(least)]
        left = self._room.columns - _total([least[n] if columns[n].numeric else 0 for n in kept])
        texts = sorted((n for n in kept if not columns[n].numeric), key=lambda n: wide[n])
        for number, n in enumerate(texts):  # the narrowest first: the wider ones share the rest
            least[n] = min(wide[n], max(1, left // (len(texts) - number)))
            left -= least[n]
        return {n: least[n] for n in kept}

    def _least(self, n: int, wide: int, head: str) -> int:
        """Least width of a column that stays in the rows."""
        column, word = self._table.columns[n], max(map(cell_len, head.split(" ")))
        if column.numeric:
            return max(self._cells[n], word)
        return wide if column.aside else min(wide, max(NARROW, word))

    def _kept(self, least: Sequence[int]) -> list[int]:
        """Columns that fit side by side; the first is always one of them."""
        columns, kept = self._table.columns, list(range(len(least)))
        leaving = sorted(
            kept[1:], key=lambda n: (not columns[n].aside, -n if columns[n].aside else -least[n], -n)
        )
        while leaving and _total([least[n] for n in kept]) > self._room.columns:
            kept.remove(leaving.pop(0))
        return kept

    def _drawn(self, texts: Sequence[str], tones: Sequence[str | None]) -> Iterator[str]:
        """Lines of one row, as many as its highest cell."""
        broken = {n: list(wrapped(texts[n], width)) for n, width in self._widths.items()}
        for number in range(max(map(len, broken.values()), default=0)):
            line = []
            for n, width in self._widths.items():
                piece = broken[n][number] if number < len(broken[n]) else ""
                space, shown = " " * (width - cell_len(piece)), self._room.style(piece, tones[n])
                line.append(space + shown if self._table.columns[n].numeric else shown + space)
            yield GAP.join(line).rstrip()

    def _beneath(self, row: TableRow, texts: Sequence[str]) -> Iterator[str]:
        """Columns that hang beneath a row, with their headings, and the row's command."""
        hung = [
            ": ".join(filter(None, (self._heads[n], text)))
            for n, text in enumerate(texts)
            if row.cells[n] not in (None, "") and n not in self._widths
        ]
        if hung:
            sentence = "; ".join([*(text.removesuffix(".") for text in hung[:-1]), hung[-1]])
            yield from wrapped(f"{GAP}{sentence}", self._room.columns, 2 * GAP)
        if row.command:
            widths = list(self._widths.values())
            yield f"{' ' * (_total(widths) - widths[-1])}$ {printable(as_started(row.command))}"


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)
