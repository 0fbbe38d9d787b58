"""Across hardware where cards are alike: a matrix of card models, and their spread from card to card.

parts(boards, groups)      # two tables
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.compare.across import Ranking
from bench.compare.card_models import LikeCards
from bench.view import card_models as view
from bench.view.content import Cell, Table, columns, table
from bench.view.short_names import machine_name
from bench.view.spans import rank_of

LEAD = (
    "Machines whose cards have one model and power limit share a row; the single machines are in a fold. "
    "Between cards is the standard deviation of their joules as the sensors read them, so the sensors' own "
    "gain errors are in it, without what the spread of each card's blocks explains; its interval is 95 %."
)
HEADS = columns(
    "case",
    "card model",
    "limit of power",
    "#cards",
    "per",
    "#J",
    "#low",
    "#high",
    "#least",
    "#most",
    "#between cards, %",
    "#% low",
    "#% high",
    "#s",
    "rank for this case",
    "on the line",
)


def parts(boards: Sequence[Ranking], groups: view.Groups) -> Iterator[Table]:
    """The matrix, and a row a case and card model."""
    names = {model: machine_name(model.name) for model in view.models_of(groups)}
    heads = {
        model: name if list(names.values()).count(name) == 1 else f"{name}, {model.limits}"
        for model, name in names.items()
    }
    yield view.matrix(boards, groups, heads)
    rows = [_row(board, each) for board, found in zip(boards, groups, strict=True) for each in found]
    yield table(HEADS, rows, "Card models: joules, and the spread between like cards", "card-models-table")


def _row(board: Ranking, each: LikeCards) -> tuple[Cell, ...]:
    spread, joules = each.spread, [row.energy.value for row in each.rows]
    ends = (None, None) if spread is None else (100 * spread.low, 100 * spread.high)
    return (
        board.label,
        machine_name(each.model.name),
        each.model.limits,
        len(each.rows),
        board.unit,
        each.energy.value,
        each.energy.low,
        each.energy.high,
        joules[0],
        joules[-1],
        each.reason if spread is None else 100 * spread.value,
        *ends,
        each.time_s,
        rank_of(each.rank),
        "yes" if each.front else "no",
    )
