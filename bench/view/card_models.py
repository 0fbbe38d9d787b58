"""Machines grouped by the model of their cards: matrix, rankings, and the spread between like cards.

for part in overview(boards, [card_models(board) for board in boards]): ...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import TypeVar

from bench.compare.across import Ranking
from bench.compare.card_models import LikeCards
from bench.compare.machine_column import CardModel
from bench.stats.between_cards import BetweenCards
from bench.view.content import Cell, Column, Section, Table, TableRow, Written, columns, table
from bench.view.numbers import between
from bench.view.short_names import machine_name
from bench.view.spans import letters_of, plus_minus, rank_of, spanned

Key = TypeVar("Key")
Groups = Sequence[Sequence[LikeCards]]
"""Of each board."""
MOST_ACROSS = 6
"""Columns of the matrix beside the cases: seven of `300 ± 35` leave no room for these on 80 columns."""
LEGEND = (
    "between cards: standard deviation of the joules of like cards as their sensors read them, without what "
    "the spread of each one's blocks explains; 95 %. n: cards. J: their geometric mean. --each-machine lists "
    "single machines."
)


def has_like_cards(groups: Groups) -> bool:
    """Whether any model has several machines on one board."""
    return any(len(each.rows) > 1 for board in groups for each in board)


def models_of(groups: Groups) -> list[CardModel]:
    """All models, in the order of their names."""
    return sorted({each.model for board in groups for each in board})


def overview(boards: Sequence[Ranking], groups: Groups) -> Generator[Section | str, None, list[Table]]:
    """Legend, matrix and meaning of the spread; returns the rankings of card models."""
    models = models_of(groups)
    letters = dict(zip(models, letters_of(len(models)), strict=True))
    for model, letter in letters.items():
        yield f"{letter}  {describe(model, [each for board in groups for each in board])}"
    yield LEGEND
    named = {model: (letter, model.name) for model, letter in letters.items()}
    yield Section("", (matrix(boards, groups, named),))
    return [ranking(board, found, letters) for board, found in zip(boards, groups, strict=True)]


def describe(model: CardModel, groups: Iterable[LikeCards]) -> str:
    """`5 machines: NVIDIA H200, 700 W; driver 570, driver 580`: what is alike and what need not be."""
    rows = [row for each in groups if each.model == model for row in each.rows]
    drivers = ", ".join(sorted({row.place.driver for row in rows}))
    cards = len({row.place.card for row in rows})
    machines = "1 machine" if cards == 1 else f"{cards} machines"
    return f"{model.name}, {model.limits}: {machines}, {drivers}"


def matrix(boards: Sequence[Ranking], groups: Groups, heads: Mapping[CardModel, tuple[str, str]]) -> Table:
    """Cases by card models; a case at another scope or kind is by itself."""
    cells = [{each.model: plus_minus(each.energy) for each in found} for found in groups]
    return case_matrix(boards, heads, cells)


def case_matrix(
    boards: Sequence[Ranking], heads: Mapping[Key, tuple[str, str]], cells: Sequence[Mapping[Key, Cell]]
) -> Table:
    """Cases down, and machines or models across; many of them down, where cases are fewer.

    `heads` has a short and a long name of each column, the latter perhaps empty; `cells` its joules by board.
    """
    pairs = sorted(zip(boards, cells, strict=True), key=lambda pair: pair[0].unit)
    caption = "Joules per unit"
    if len(heads) > MOST_ACROSS and len(boards) < len(heads):
        named = any(long for _, long in heads.values())
        shown = {key: (short, long) if named else (short,) for key, (short, long) in heads.items()}
        rows = [(*names, *(of.get(key, "") for _, of in pairs)) for key, names in shown.items()]
        cases = (Column(f"{board.label}, J/{board.unit}", numeric=True) for board, _ in pairs)
        return table((*columns(*(("", "of") if named else ("of",))), *cases), rows, caption, "matrix")
    made = [
        TableRow(
            (board.label, board.unit, *(of.get(key, "") for key in heads)), board.standings[0].found.digest
        )
        for board, of in pairs
    ]
    across = (Column(short, numeric=True) for short, _ in heads.values())
    return table((*columns("case", "per"), *across), made, caption, "matrix")


def ranking(
    board: Ranking, found: Sequence[LikeCards], letters: Mapping[CardModel, str], name: str = ""
) -> Table:
    """Card models of one case, fewest joules first; ratios only where a reference was asked for."""
    ratios = any(each.ratio for each in found)
    names = Counter(model.name for model in letters)
    aside = ("least to most", "of reference")
    heads = (
        *columns("#rank", "", "card model", "#n", "#J"),
        Column("between cards, %", numeric=True),
        *columns("least to most", aside=aside),
        *((Column("of reference", numeric=True, aside=True),) if ratios else ()),
        *columns(f"#s/{board.unit}", "front"),
    )
    rows = (_cells(each, letters[each.model], names[each.model.name] > 1, ratios=ratios) for each in found)
    return table(heads, rows, "", name)


def _cells(each: LikeCards, letter: str, limited: bool, *, ratios: bool) -> tuple[Cell, ...]:
    joules = [row.energy.value for row in each.rows]
    name = machine_name(each.model.name)
    return (
        rank_of(each.rank),
        letter,
        f"{name}, {each.model.limits}" if limited else name,
        len(each.rows),
        plus_minus(each.energy),
        percent(each.spread) if each.spread else each.reason,
        between(joules[0], joules[-1]) if len(joules) > 1 else None,
        *((spanned(each.ratio),) if ratios else ()),
        each.time_s,
        "yes" if each.front else "",
    )


def percent(spread: BetweenCards) -> Written:
    """`3.1 (2.2 to 5.2)`: value and interval in percent, alike in their decimals."""
    value, low, high = (100 * each for each in (spread.value, spread.low, spread.high))
    decimals = 1 if high >= 1 else 2
    text = f"{value:.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"
    return Written(text, value)
