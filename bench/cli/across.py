"""`bench compare --across-hardware PATH...`: rankings, and a matrix of cases by machines; no pass or fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_uppercase
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.analysis.across import Across, Board, Span, Standing
from bench.analysis.beside import MARK, SHOWN, Beside, fitting
from bench.analysis.places import Place
from bench.cli.tables import cell, render
from bench.footprint.reference import Published
from bench.report.numbers import NOT_KNOWN, digits, plain

SCHEMA = "joulebench/across/1"
"""History: 1, the first; `references` of a board came later and is empty unless asked for."""


def text(found: Across, references: Sequence[Published] = ()) -> str:
    """The matrix of each unit, then a ranking a case with the references beneath, then what is on none."""
    return render(*_parts(found, references))


def _parts(found: Across, references: Sequence[Published]) -> Iterable[Text | Table]:
    places = sorted({one.place for board in found.boards for one in board.standings})
    letters = {place: _letter(number) for number, place in enumerate(places)}
    for place, letter in letters.items():
        yield cell(f"{letter}  {place.machine}, {place.driver}, {place.limits}: {place.scope}, {place.kind}")
    for unit in sorted({board.unit for board in found.boards}):
        yield Text()
        yield _matrix(unit, [board for board in found.boards if board.unit == unit], letters)
    beneath = [fitting(board, references) for board in found.boards]
    for board, beside in zip(found.boards, beneath, strict=True):
        yield Text()
        yield cell(f"{board.label}: J/{board.unit} at scope {board.like[0]}, {board.like[1]}")
        yield _ranking(board, letters)
        if beside:
            yield from _beneath(beside, board.unit)
    yield Text()
    if references and not any(beneath):
        yield cell(f"{MARK * 3}  no reference row is of a model, scope and unit that stands here.")
    for line in (*(f"left out: {each}" for each in found.left_out), *found.notes):
        yield cell(line)
    if any(board.standings[0].found.record.case.weights.kind == "random" for board in found.boards):
        yield cell("random weights: joules hold for the shape of the model, its output is meaningless.")
    yield cell(
        "±: absolute, 95 %, the card's unknown gain included. A rank such as 1-2: the intervals overlap. "
        "front: no other takes both fewer joules and less time."
    )


def _letter(number: int) -> str:
    return ascii_uppercase[number] if number < len(ascii_uppercase) else f"#{number + 1}"


def _matrix(unit: str, boards: Sequence[Board], letters: dict[Place, str]) -> Table:
    """Cases down, machines across; a case at another scope or kind is a row of its own."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(cell(f"J/{unit}"))
    used = [
        place for place in letters if any(one.place == place for board in boards for one in board.standings)
    ]
    for place in used:
        table.add_column(letters[place], justify="right", no_wrap=True)
    for board in boards:
        by_place = {one.place: _span(one.energy) for one in board.standings}
        table.add_row(cell(board.label), *(cell(by_place.get(place, "")) for place in used))
    return table


def _ranking(board: Board, letters: dict[Place, str]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("  rank", "", "machine", "J", "of reference", f"s/{board.unit}", "front", ""):
        table.add_column(cell(name), justify="left" if name in ("", "machine", "front") else "right")
    for one in board.standings:
        record = one.found.record
        quick = "quick" if record.ended and record.ended.quick else ""
        rank = NOT_KNOWN if one.rank is None else "-".join(map(str, dict.fromkeys(one.rank)))
        cells = (rank, letters[one.place], one.place.machine, _span(one.energy), _times(one.ratio))
        table.add_row(*map(cell, (*cells, plain(one.time_s), "yes" if one.front else "", quick)))
    return table


def _beneath(beside: Sequence[Beside], unit: str) -> Iterable[Text | Table]:
    """Reference rows, hatched: what others published of this model, unranked."""
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(cell(f"  {MARK * 3}"))
    table.add_column(cell(f"J/{unit}"), justify="right")
    for name in ("hardware", "", "what it counts", "source"):
        table.add_column(cell(name), overflow="fold")
    for one in beside[:SHOWN]:
        ratio = [] if one.ratio is None else [f"{one.ratio:.3g} ×"]
        unlike = f"unlike conditions: {'; '.join(one.unlike)}" if one.unlike else "none unlike that is stated"
        counts = "; ".join(filter(None, (one.row.boundary, one.row.note)))
        about = (one.row.hardware or "not stated", ", ".join([*ratio, unlike]), counts, one.row.source)
        table.add_row(*map(cell, (f"  {MARK * 3}", digits(one.joules.value), *about)))
    yield table
    if len(beside) > SHOWN:
        yield cell(f"  {MARK * 3}  {len(beside) - SHOWN} more; --json has all of them.")
    yield cell(f"  {MARK * 3}  not measured here: reference rows, never ranked with what was.")


def _span(span: Span) -> str:
    """`412 ± 25`, or the value and that its error is not known."""
    if span.low is None or span.high is None:
        return f"{digits(span.value)} ± ?"
    return f"{digits(span.value)} ± {digits((span.high - span.low) / 2, 2)}"


def _times(ratio: Span | None) -> str:
    if ratio is None:
        return NOT_KNOWN
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.3f}"
    return f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"


def document(found: Across, references: Sequence[Published] = ()) -> dict[str, Any]:
    """The same as plain values; all reference rows that fit, not the first alone."""
    return {
        "schema": SCHEMA,
        "boards": [
            {
                "label": board.label,
                "unit": board.unit,
                "scope": board.like[0],
                "kind": board.like[1],
                "standings": [_plain(one) for one in board.standings],
                "references": [_reference(one) for one in fitting(board, references)],
            }
            for board in found.boards
        ],
        "left_out": list(found.left_out),
        "notes": list(found.notes),
        "problems": list(found.problems),
    }


def _plain(one: Standing) -> dict[str, Any]:
    def span(value: Span | None) -> dict[str, float | None] | None:
        return None if value is None else {"value": value.value, "low": value.low, "high": value.high}

    return {
        "where": one.found.where,
        "machine": one.place.machine,
        "driver": one.place.driver,
        "power_limits": one.place.limits,
        "energy_per_unit_j": span(one.energy),
        "time_per_unit_s": one.time_s,
        "rank": list(one.rank) if one.rank else None,
        "ratio_to_reference": span(one.ratio),
        "front": one.front,
    }


def _reference(one: Beside) -> dict[str, Any]:
    return {
        "row": one.row.model_dump(exclude_none=True),
        "energy_per_unit_j": {"value": one.joules.value, "low": one.joules.low, "high": one.joules.high},
        "unlike_conditions": list(one.unlike),
        "ratio": one.ratio,
    }
