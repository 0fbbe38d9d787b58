"""Rankings of machines by each case, and a matrix of cases by machines; no pass or fail."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from bench.compare.across import AcrossMachines, RankedRow, Ranking
from bench.compare.card_models import card_models
from bench.compare.latency_front import latency_fronts
from bench.compare.machine_column import MachineColumn
from bench.compare.reference_rows import MARK, SHOWN, fitting
from bench.footprint.bundled_rows import Published
from bench.view import card_models as card_model_view
from bench.view import latency_front
from bench.view import references as reference_view
from bench.view.content import Cell, Section, Table, columns, table
from bench.view.spans import letters_of, plus_minus, rank_of, spanned

LEGEND = (
    "±: absolute, 95 %, the card's unknown gain included. A rank such as 1-2: the intervals overlap. "
    "front: no other takes both fewer joules and less time."
)


def sections(
    found: AcrossMachines, references: Sequence[Published] = (), *, each_machine: bool = False
) -> Iterator[Section | str]:
    """The matrix of each unit, then a ranking a case with the references beneath, then what is on none.

    Like cards share a row and a column, unless each machine is asked for.
    """
    groups = [card_models(board, found.reference_model) for board in found.boards]
    if not each_machine and card_model_view.has_like_cards(groups):
        rankings = yield from card_model_view.overview(found.boards, groups)
    else:
        rankings = yield from _machines(found.boards)
    for board, ranking in zip(found.boards, rankings, strict=True):
        title = f"{board.label}: J/{board.unit} at scope {board.like[0]}, {board.like[1]}"
        yield Section(title, (ranking, *_beneath(board, references)))
    yield from latency_front.sections(latency_fronts(found.boards))
    yield Section("", tuple(_remarks(found, references)))


def _remarks(found: AcrossMachines, references: Sequence[Published]) -> Iterator[str]:
    if references and not any(fitting(board, references) for board in found.boards):
        yield f"{MARK * 3}  no reference row is of a model, scope and unit of this board."
    yield from (f"left out: {each}" for each in found.left_out)
    yield from found.notes
    if any(board.standings[0].found.record.case.weights.kind == "random" for board in found.boards):
        yield "random weights: joules are valid for the shape of the model, its output is meaningless."
    yield LEGEND


def _machines(boards: Sequence[Ranking]) -> Generator[Section | str, None, list[Table]]:
    """Legend and matrix of single machines; returns the rankings."""
    places = sorted({one.place for board in boards for one in board.standings})
    letters = dict(zip(places, letters_of(len(places)), strict=True))
    for place, letter in letters.items():
        yield f"{letter}  {place.named}, {place.driver}, {place.limits}: {place.scope}, {place.kind}"
    if boards:
        named = {place: (letter, place.named) for place, letter in letters.items()}
        yield Section("", (matrix(boards, named),))
    return [_ranking(board, letters) for board in boards]


def matrix(boards: Sequence[Ranking], heads: Mapping[MachineColumn, tuple[str, str]]) -> Table:
    """Cases by machines; a case at another scope or kind is by itself."""
    cells = [{one.place: plus_minus(one.energy) for one in board.standings} for board in boards]
    return card_model_view.case_matrix(boards, heads, cells)


def _ranking(board: Ranking, letters: dict[MachineColumn, str]) -> Table:
    heads = columns("#rank", "", "machine", "#J", "#of reference", f"#s/{board.unit}", "front", "")
    return table(heads, (_standing(one, letters[one.place]) for one in board.standings))


def _standing(one: RankedRow, letter: str) -> tuple[Cell, ...]:
    record = one.found.record
    return (
        rank_of(one.rank),
        letter,
        one.place.named,
        plus_minus(one.energy),
        spanned(one.ratio),
        one.time_s,
        "yes" if one.front else "",
        "quick" if record.ended and record.ended.quick else "",
    )


def _beneath(board: Ranking, references: Sequence[Published]) -> Iterator[Table | str]:
    beside = fitting(board, references)
    if beside:
        yield reference_view.rows_of((board, one) for one in beside[:SHOWN])
    if len(beside) > SHOWN:
        yield f"{MARK * 3}  {len(beside) - SHOWN} more; --json has all of them."
