"""Rankings of machines by each case, and a matrix of cases by machines; no pass or fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase

from bench.compare.across import AcrossMachines, RankedRow, Ranking, Span
from bench.compare.latency_front import latency_fronts
from bench.compare.machine_column import MachineColumn
from bench.compare.reference_rows import MARK, SHOWN, fitting
from bench.footprint.bundled_rows import Published
from bench.view import latency_front
from bench.view import references as reference_view
from bench.view.content import Cell, Column, Section, Table, TableRow, Written, columns, table
from bench.view.spans import plus_minus

LEGEND = (
    "±: absolute, 95 %, the card's unknown gain included. A rank such as 1-2: the intervals overlap. "
    "front: no other takes both fewer joules and less time."
)


def sections(found: AcrossMachines, references: Sequence[Published] = ()) -> Iterator[Section | str]:
    """The matrix of each unit, then a ranking a case with the references beneath, then what is on none."""
    places = sorted({one.place for board in found.boards for one in board.standings})
    letters = {place: _letter(number) for number, place in enumerate(places)}
    for place, letter in letters.items():
        yield f"{letter}  {place.machine}, {place.driver}, {place.limits}: {place.scope}, {place.kind}"
    if found.boards:
        yield Section("", (matrix(found.boards, letters),))
    for board in found.boards:
        title = f"{board.label}: J/{board.unit} at scope {board.like[0]}, {board.like[1]}"
        yield Section(title, (_ranking(board, letters), *_beneath(board, references)))
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


def _letter(number: int) -> str:
    return ascii_uppercase[number] if number < len(ascii_uppercase) else f"#{number + 1}"


def matrix(boards: Sequence[Ranking], heads: Mapping[MachineColumn, str]) -> Table:
    """Cases down, machines across; a case at another scope or kind is a row of its own."""
    rows = []
    for board in sorted(boards, key=lambda board: board.unit):
        by_place = {one.place: plus_minus(one.energy) for one in board.standings}
        cells = board.label, board.unit, *(by_place.get(place, "") for place in heads)
        rows.append(TableRow(cells, board.standings[0].found.digest))
    columns_of = (*columns("case", "per"), *(Column(head, numeric=True) for head in heads.values()))
    return table(columns_of, rows, "Joules per unit: cases by machines", "matrix")


def _ranking(board: Ranking, letters: dict[MachineColumn, str]) -> Table:
    heads = columns("#rank", "", "machine", "#J", "#of reference", f"#s/{board.unit}", "front", "")
    return table(heads, (_standing(one, letters[one.place]) for one in board.standings))


def _standing(one: RankedRow, letter: str) -> tuple[Cell, ...]:
    record = one.found.record
    return (
        rank_of(one),
        letter,
        one.place.machine,
        plus_minus(one.energy),
        _times(one.ratio),
        one.time_s,
        "yes" if one.front else "",
        "quick" if record.ended and record.ended.quick else "",
    )


def rank_of(one: RankedRow) -> str | None:
    """`1`, or `2-3` where intervals overlap."""
    return None if one.rank is None else "-".join(map(str, dict.fromkeys(one.rank)))


def _beneath(board: Ranking, references: Sequence[Published]) -> Iterator[Table | str]:
    beside = fitting(board, references)
    if beside:
        yield reference_view.rows_of((board, one) for one in beside[:SHOWN])
    if len(beside) > SHOWN:
        yield f"{MARK * 3}  {len(beside) - SHOWN} more; --json has all of them."


def _times(ratio: Span | None) -> Cell:
    if ratio is None:
        return None
    if ratio.low is None or ratio.high is None:
        return Written(f"{ratio.value:.3f}", ratio.value)
    return Written(f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})", ratio.value)
