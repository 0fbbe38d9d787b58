"""Measured figures of pages, images and seconds from stored records, for display beside people and others.

    found = rows_in([("results/a.json", record)])
    for row in found.rows:
        print(row.record.label, row.scope, row.joules.value, row.interval)

Every scope of a record is a row of its own. A failed or invalid record gives none, with the reason; so
does a toy model's, and one of random weights unless shapes are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.core.figures import Estimate
from bench.core.near_names import nearest
from bench.core.quantities import Grams, Joules, Range, WattHours
from bench.core.record import Record
from bench.errors import UsageError
from bench.footprint.bundled_rows import Factor
from bench.footprint.chain import MACHINE_SCOPES, Chain, carbon, facility, metered
from bench.footprint.excluded_models import is_shape, set_aside

ABSOLUTE = "95 %, absolute"
"""The interval of a figure that may be set beside one of another machine: the card's own error is in it."""

NOT_A_TOY = (
    "`python -m bench footprint people` compares without a record; a model of true size is measured by "
    "`python -m bench run bloom-560m`."
)


@dataclass(frozen=True)
class MeasuredRow:
    """Joules per unit of one record at one scope."""

    record: Record
    scope: str
    kind: str
    """`measured`, `estimated` or `mixed`."""
    joules: Joules
    interval: str
    """Kind of the range: the card's own error included, or the spread of the blocks alone."""

    @property
    def unit(self) -> str:
        """Unit of output: page, image, audio_second."""
        return self.record.case.unit

    @property
    def weights(self) -> str:
        """`random` weights give the joules of the shape, not of a model that works."""
        return self.record.case.weights.kind

    @property
    def label(self) -> str:
        """The case in words, marked as a shape if its weights are random numbers."""
        return f"{self.record.label} (a shape)" if is_shape(self.record) else self.record.label

    @property
    def conditions(self) -> str:
        """Conditions of the joules, in words."""
        options = {
            key: value for key, value in self.record.case.options.items() if value not in (None, False)
        }
        return ", ".join(
            [str(self.record.machine.name), *(f"{key} {value}" for key, value in options.items())]
        )

    @property
    def source(self) -> str:
        """Name of the record: the first digits of its case's hash, and the day it was made."""
        return f"record {self.record.case.hash[:8]}, {self.record.created[:10]}"

    def energy(self, pue: Factor | None = None) -> Chain[WattHours]:
        """Watt-hours per unit; of the facility where its overhead is given and the host is in them."""
        here = metered(self.joules, self.scope)
        return facility(here, pue) if pue is not None and self.scope in MACHINE_SCOPES else here

    def carbon(self, grid: Factor, pue: Factor | None = None) -> Chain[Grams]:
        """Grams per unit."""
        return carbon(self.energy(pue), grid)


@dataclass(frozen=True)
class MeasuredRows:
    """The rows of records, and what was left out, each with the reason."""

    rows: list[MeasuredRow]
    left_out: list[str]


def rows_in(records: Iterable[tuple[str, Record]], *, shapes: bool = False) -> MeasuredRows:
    """The rows of several records, each with the place where it was found."""
    rows: list[MeasuredRow] = []
    left_out: list[str] = []
    for place, record in records:
        if record.status != "ok":
            left_out.append(f"{place}: {record.why}")
        elif reason := set_aside(record, shapes=shapes):
            left_out.append(f"{place}: {reason}")
        else:
            rows += rows_of(record)
    return MeasuredRows(rows, left_out)


def rows_of(record: Record) -> list[MeasuredRow]:
    """A record's gross joules per unit at each of its scopes, and the widest interval that it can give.

    Work gives no energy back: a scope with joules below 0 has no row.
    """
    rows = []
    for scope, figure in record.figures.energy_per_unit_j.items():
        if figure.gross is not None and figure.gross.value >= 0:
            span, interval = _span(record, scope, figure.gross)
            rows.append(MeasuredRow(record, scope, figure.kind, Joules(span), interval))
    return rows


def row_of(record: Record, place: str, scope: str | None = None) -> MeasuredRow:
    """A record's joules per unit at one scope, its headline's where none is named.

    Raises UsageError that names the place where the record was found.
    """
    if record.status != "ok":
        raise UsageError(f"{place}: {record.why}")
    if reason := set_aside(record, shapes=True):
        raise UsageError(f"{place}: it is of {reason}.", NOT_A_TOY)
    wanted = scope or record.figures.headline_scope
    rows = {row.scope: row for row in rows_of(record)}
    if wanted not in rows:
        known = nearest(str(wanted), rows) if rows else "It has none at any scope."
        raise UsageError(f"{place}: no joules per {record.case.unit} at scope `{wanted}`.", known)
    return rows[wanted]


def _span(record: Record, scope: str, gross: Estimate) -> tuple[Range, str]:
    from bench.stats import uncertainty

    budget = (
        (record.figures.uncertainty or uncertainty.of(record))
        if scope == record.figures.headline_scope
        else None
    )
    absolute = budget.gross.absolute if budget and budget.gross else None
    if absolute is not None:
        return Range(absolute.value, absolute.low, absolute.high), ABSOLUTE
    if gross.low is None or gross.high is None:
        return Range.of(gross.value), "none: one block"
    return Range(gross.value, gross.low, gross.high), "95 %, same machine"
