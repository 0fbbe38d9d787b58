"""Tables on terminals of any width: held against rich where they fit, else against their own cells."""

from __future__ import annotations

import io
import random
import re

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Drawn

from bench.view import terminal
from bench.view.content import Column, Section, Table, TableRow, Written, columns, in_words, pairs, table
from bench.view.terminal import Room

TEXTS = (
    "",
    "a",
    "日本",
    "x y",
    "—",
    "word " * 9 + "end",
    "one-word-that-is-longer-than-many-columns",
)


def drawn(shown: Table, width: int, *, styled: bool = False) -> list[str]:
    return list(terminal.lines([shown], Room(width, width, styled)))


def some(chance: random.Random) -> Table:
    """Any table: numbers and texts in any order, some of them aside."""
    count = chance.randint(1, 9)
    heads = [
        Column(f"h{n} of it", numeric=chance.random() < 0.5, aside=chance.random() < 0.3)
        for n in range(count)
    ]

    def cell(head: Column) -> str | float | None:
        return chance.choice([None, 12.5, 0.000123, 4]) if head.numeric else chance.choice(TEXTS)

    return table(heads, ([cell(head) for head in heads] for _ in range(chance.randint(0, 4))))


def by_rich(shown: Table) -> list[str]:
    """The same table as rich draws it, on a terminal with room for all of it."""
    made = Drawn(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in shown.columns:
        made.add_column(head.name, justify="right" if head.numeric else "left")
    for row in shown.rows:
        made.add_row(*map(in_words, row.cells))
    out = io.StringIO()
    Console(file=out, width=1000, markup=False, highlight=False, emoji=False).print(made)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("seed", range(40))
def test_a_table_with_room_is_the_one_that_rich_draws(seed: int) -> None:
    shown = some(random.Random(seed))
    assert drawn(shown, 1000) == by_rich(shown)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("seed", range(40))
def test_at_any_width_all_that_is_known_is_there_and_no_number_is_broken(seed: int, width: int) -> None:
    shown = some(random.Random(seed))
    lines = drawn(shown, width)
    assert all(cell_len(line) <= width for line in lines)
    whole = "".join(lines)
    for row in shown.rows:
        for cell, head in zip(row.cells, shown.columns, strict=True):
            if head.numeric and cell is not None:
                assert any(in_words(cell) in line for line in lines)
            for word in in_words(cell).split() if cell is not None else ():
                assert word in whole or len(word) > 20


def test_what_has_no_room_hangs_beneath_its_row_with_its_heading() -> None:
    heads = columns("case", "#J", "#W", "source", aside=("W", "source"))
    shown = table(heads, [("first", 300.0, 10.0, "a long account of where it is from")])
    assert drawn(shown, 80)[1] == "first  300  10.0  a long account of where it is from"
    assert drawn(shown, 30) == [
        "case     J     W",
        "first  300  10.0",
        "  source: a long account of",
        "    where it is from",
    ]
    assert drawn(shown, 12)[:2] == ["case     J", "first  300"]
    assert "W: 10.0;" in " ".join(drawn(shown, 14))


def test_a_numbers_heading_is_broken_before_it_hangs() -> None:
    shown = table(columns("block", "#CodeCarbon − NVML, %"), [("1", 2.0)])
    assert drawn(shown, 20) == ["block  CodeCarbon", "        − NVML, %", "1            2.00"]


def test_a_list_of_names_and_values_has_no_headings() -> None:
    assert drawn(pairs([("machine", "Card A"), ("ran on", None)]), 40) == ["machine  Card A", "ran on   —"]


def test_a_command_is_never_broken_and_under_what_it_is_about() -> None:
    row = TableRow(
        ("warn", "It is lower than the default."), command="sudo nvidia-smi -i 0 -pl 700 --and more"
    )
    lines = drawn(table(columns("", ""), [row]), 30)
    assert lines[-1] == "      $ sudo nvidia-smi -i 0 -pl 700 --and more"


def test_styles_change_no_character_and_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [
        Section("A title", (table(columns("state"), [(Written("ok", tone="good"),)]), "text"), ("note",))
    ]
    calm = list(terminal.lines(shown, Room(80, 80)))
    bright = list(terminal.lines(shown, Room(80, 80, styled=True)))
    assert calm == ["", "A title", "state", "ok", "text", "- note"]
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in bright] == calm
    assert bright[3] == "\x1b[32mok\x1b[0m"

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "60")
    assert Room.of(io.StringIO()) == Room(terminal.PIPE_WIDTH, terminal.PROSE_WIDTH, styled=False)
    assert Room.of(Screen()) == Room(60, 60, styled=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Room.of(Screen()).styled
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not Room.of(Screen()).styled


@pytest.mark.parametrize(
    ("words", "broken"),
    [
        ("one two three", ["one two", "three"]),
        ("  indented words", ["  indented", "words"]),
        ("abcdefghijklmno", ["abcdefghij", "klmno"]),
        ("日本日本日本", ["日本日本日", "本"]),
        ("", [""]),
    ],
)
def test_a_text_is_broken_between_words_by_its_width_on_the_screen(words: str, broken: list[str]) -> None:
    assert list(terminal.wrapped(words, 10)) == broken


def test_prose_has_one_width_everywhere_and_a_path_stays_whole() -> None:
    path = "/home/someone/results/nvidia-h100-80gb-hbm3-1a2b3c4d/sdxl--0123456789abcdef--20260131t120000.json"
    lines = terminal.text([f"{'word ' * 30}{path} and more."], io.StringIO()).splitlines()
    assert path in lines
    assert all(len(line) <= terminal.PROSE_WIDTH for line in lines if line != path)
    assert len(lines) == 4
