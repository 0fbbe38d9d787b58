"""Published figures of the same model, beneath a ranking: hatched, unranked, with what differs named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from bench.compare.across import RankedRow, Ranking
from bench.compare.reference_rows import MARK, SHOWN, ReferenceRows, candidates, fitting
from bench.footprint.measured import ABSOLUTE
from bench.footprint.references import References
from bench.view import charts
from bench.view.content import Chart, Table, TableRow, clean, columns, table
from bench.view.labels import apart
from bench.view.numbers import grouped
from bench.view.report.dateline import named
from bench.view.report.footer import METERED, footer

ID = "references"

ENERGY = ("#J", "#J low", "#J high")
ABOUT = ("hardware", "#× of the only machine", "unlike conditions", "what it counts", "source")
COLUMNS = columns(
    "case", "per", "scope", *ENERGY, *ABOUT, aside=("unlike conditions", "what it counts", "source")
)


def parts(boards: Sequence[Ranking], imported: References) -> Iterator[Table | Chart]:
    """A chart of each board that has references, and one table of all that are drawn."""
    rows = candidates(imported)
    beside = [(board, found) for board in boards if (found := fitting(board, rows)[:SHOWN])]
    for number, (board, found) in enumerate(beside):
        unit, scope = board.unit, board.like[0]
        about = f"{clean(board.label, 80)}: joules per {unit} at scope {scope}; hatched: published by others"
        drawn = list(_dots(board.standings, found))
        draw = partial(charts.dots, drawn, f"joules per {unit}")
        yield Chart(f"{ID}-{number}", about, draw, ID, _takeaway(board, found), _footer(board, found))
    if beside:
        yield rows_of((board, one) for board, found in beside for one in found)


def _takeaway(board: Ranking, found: Sequence[ReferenceRows]) -> str:
    """Joules here and as published, from row to row."""
    spans = []
    for values in ([one.energy.value for one in board.standings], [one.joules.value for one in found]):
        spans.append(" to ".join(dict.fromkeys(grouped(value, 2) for value in (min(values), max(values)))))
    return f"{clean(board.label, 80)}: {spans[0]} J per {board.unit} here, {spans[1]} J published by others"


def _footer(board: Ranking, found: Sequence[ReferenceRows]) -> str:
    marks = [(one.found, one.place.kind) for one in board.standings]
    return footer(marks, (named(one.row.source) for one in found), METERED)


def rows_of(beside: Iterable[tuple[Ranking, ReferenceRows]]) -> Table:
    """Published figures of the same models."""
    made = (_row(board, one) for board, one in beside)
    return table(COLUMNS, made, f"{MARK} Reference rows: not measured here, not ranked", ID)


def sentences(made: Iterable[Table | Chart]) -> Iterator[str]:
    """Notes, if any rows are shown."""
    if any(each.id == ID for each in made):
        yield (
            f"{MARK} Hatched are figures that others published of the same model at the same scope, the "
            f"{SHOWN} nearest in conditions: reference rows, measured elsewhere, never ranked."
        )


def _dots(standings: Sequence[RankedRow], found: Sequence[ReferenceRows]) -> Iterator[dict[str, object]]:
    for one in standings:
        low, high = one.energy.low, one.energy.high
        yield {
            "label": clean(f"{one.place.named}, {one.place.limits}, {one.place.driver}", 70),
            "kind": one.place.kind,
            "interval": "none" if low is None else ABSOLUTE,
            "value": one.energy.value,
            "low": one.energy.value if low is None else low,
            "high": one.energy.value if high is None else high,
            "conditions": "",
        }
    labels = apart([(clean(f"{MARK} {_where(one)}", 70), f"#{n + 1}") for n, one in enumerate(found)])
    for label, beside in zip(labels, found, strict=True):
        yield {
            "label": label,
            "kind": "reference",
            "interval": "as published",
            "value": beside.joules.value,
            "low": beside.joules.low,
            "high": beside.joules.high,
            "conditions": clean("; ".join(beside.unlike), 120),
        }


def _where(one: ReferenceRows) -> str:
    return f"{one.row.source.partition('.')[0]}, {one.row.hardware or 'hardware not stated'}"


def _row(board: Ranking, one: ReferenceRows) -> TableRow:
    joules, row = one.joules, one.row
    unlike = "; ".join(one.unlike) or "none that is stated"
    counts = "; ".join(filter(None, (row.boundary, row.note)))
    energy = joules.value, joules.low, joules.high
    about = row.hardware, one.ratio, unlike, counts, row.source
    return TableRow((f"{MARK} {board.label}", board.unit, row.scope, *energy, *about))
