"""One sentence a record: what one unit took, as it can be quoted.

of_record(record, "sdxl")    # "sdxl on NVIDIA H100: 969 J (±1.2 %) an image, 0.10 g CO2e, 0.27 Wh; 2.3 s."
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.compare.cards_apart import cards_apart
from bench.core.quantities import J_PER_WH
from bench.core.record import Record
from bench.view.case_labels import case_labels, occasion_labels
from bench.view.numbers import digits, percent
from bench.view.spans import value_text

SHOWN = 6
"""Sentences before a table; it has all records."""


def of_records(records: Sequence[Record]) -> Iterator[str]:
    """A sentence a record, the first few of many."""
    named = case_labels([record.case.model for record in records], records)
    machines = [
        ", ".join(filter(None, (str(record.machine.name), card)))
        for record, card in zip(records, cards_apart(named, records), strict=True)
    ]
    placed = [f"{name} on {machine}" for name, machine in zip(named, machines, strict=True)]
    occasions = [
        text.removeprefix(place) for text, place in zip(occasion_labels(placed, records), placed, strict=True)
    ]
    for record, name, occasion, machine in list(zip(records, named, occasions, machines, strict=True))[
        :SHOWN
    ]:
        yield of_record(record, f"{name}{occasion}", machine)
    if len(records) > SHOWN:
        yield f"{len(records) - SHOWN} more are in the table."


def of_record(record: Record, name: str, machine: str | None = None) -> str:
    """The headline with its interval, grams, watt-hours and seconds; without a figure the verdict and why."""
    figures = record.figures
    scope = figures.headline_scope
    energy = figures.energy_per_unit_j[scope] if scope else None
    where = f"{name}{_weights(record)} on {machine or record.machine.name}"
    if scope is None or energy is None or energy.gross is None:
        return f"{where}: no figure; {_why(record)}"
    gross = energy.gross
    known = gross.low is not None and gross.high is not None
    of_kind = "" if energy.kind == "measured" else f", {energy.kind}"
    carbon = figures.carbon_per_unit_g.get(scope)
    others = [f"{digits(carbon.gross.value, 2)} g CO2e"] if carbon and carbon.gross else []
    others.append(f"{digits(gross.value / J_PER_WH, 2)} Wh")
    interval = f" ({percent(gross)}{of_kind})" if known else of_kind
    joules = f"{value_text(gross)} J{interval} {_one(record.unit)}"
    time = figures.time_per_unit_s
    lasting = f"; {digits(time.value, 2)} s" if time else ""
    verdict = "" if record.status == "ok" else f" {_why(record)}"
    return f"{where}: {', '.join([joules, *others])}{lasting}.{verdict}"


def _weights(record: Record) -> str:
    return " (random weights)" if record.case.weights.kind == "random" else ""


def _why(record: Record) -> str:
    if record.failure is not None:
        return f"failed at {record.failure.stage}: {record.failure.message}"
    if record.status != "ok":
        return record.why
    scope = record.figures.headline_scope
    figure = record.figures.energy_per_unit_j[scope] if scope else None
    return f"{figure.reason if figure and figure.reason else 'no domain gave a reading'}."


def _one(unit: str) -> str:
    """`a page`, `an audio second`."""
    words = unit.replace("_", " ")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
