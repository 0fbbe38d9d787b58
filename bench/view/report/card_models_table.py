"""Across hardware where cards are alike: a matrix of card models, and their spread from card to card.

parts(boards, groups)      # two tables
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.compare.across import Ranking
from bench.compare.card_models import LikeCards
from bench.view import card_models as view
from bench.view.content import Cell, Table, Written, columns, table
from bench.view.short_names import machine_name
from bench.view.spans import plus_minus, rank_of

LEAD = (
    "Machines whose cards have one model and power limit share a row; the single machines are in a fold. "
    "Between cards is the standard deviation of their joules as the sensors read them, so the sensors' own "
    "gain errors are in it, without what the spread of each card's blocks explains; its interval is 95 %."
)
HEADS = columns(
    "case",
    "card model",
    "#cards",
    "#between cards, %",
    "#low, %",
    "#high, %",
    "#J",
    "per",
    "rank for this case",
    "#s",
    "#least J",
    "#most J",
    "on the line",
)


def parts(boards: Sequence[Ranking], groups: view.Groups) -> Iterator[Table]:
    """The matrix, and a row a case and card model."""
    names = {model: machine_name(model.name) for model in view.models_of(groups)}
    several = Counter(names.values())
    heads = {
        model: name if several[name] == 1 else f"{name}, {model.limits}" for model, name in names.items()
    }
    yield view.matrix(boards, groups, {model: (name, "") for model, name in heads.items()})
    rows = [
        _row(board, each, heads[each.model])
        for board, found in zip(boards, groups, strict=True)
        for each in found
    ]
    yield table(HEADS, rows, "Card models: joules, and the spread between like cards", "card-models-table")


def _row(board: Ranking, each: LikeCards, name: str) -> tuple[Cell, ...]:
    spread, joules = each.spread, [row.energy.value for row in each.rows]
    found: tuple[Cell, ...] = (each.reason, None, None)
    if spread is not None:
        found = tuple(_percent(value) for value in (spread.value, spread.low, spread.high))
    return (
        board.label,
        name,
        len(each.rows),
        *found,
        plus_minus(each.energy),
        board.unit,
        rank_of(each.rank),
        each.time_s,
        joules[0],
        joules[-1],
        "yes" if each.front else "no",
    )


def _percent(share: float) -> Written:
    return Written(f"{100 * share:.2f}", 100 * share)
