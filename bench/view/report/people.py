"""Joules and grams of a page and an image beside people and published figures, on logarithmic axes.

Inside: measured records, each at every scope it has; the paper's people and models; what others published
per page and per image. Every line bears its scope, and no line is ranked against one of another scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from bench.compare.record_set import StoredRecord
from bench.core import modalities
from bench.core.quantities import J_PER_WH, Grams, Quantity, Range
from bench.footprint import tomlinson2024
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.humans import UNITS, select
from bench.footprint.listing import select as published
from bench.footprint.person_vs_model import Line, lines
from bench.view import charts
from bench.view.content import Cell, Chart, Section, Table, TableRow, apart, clean, columns, table
from bench.view.report.report_data import ReportData

DRAWN = 24
"""Measured lines in a chart. The table beneath has all of them."""

NUMBERS = ("#J", "#J low", "#J high", "#g CO2e", "#g low", "#g high", "#US person ×", "#India person ×")
COLUMNS = columns("who or what", "kind", "scope", *NUMBERS, "interval", "conditions", "source")


@dataclass(frozen=True)
class Entry:
    """One line of the comparison. `ratios` is how many times as much the paper's people emit, by region."""

    name: str
    kind: str
    scope: str
    joules: Range | None
    grams: Range | None
    ratios: dict[str, Range]
    interval: str = "none stated"
    conditions: str = ""
    source: str = ""
    key: str = ""
    """Of a published figure, its id."""
    case: str | None = None
    machine: str = ""

    @property
    def label(self) -> str:
        """Scope, name and machine, as an axis label: a long one is cut at its end."""
        return " · ".join(filter(None, (self.scope, clean(self.name, 60), clean(self.machine, 24))))

    def cells(self) -> tuple[Cell, ...]:
        """In the order of COLUMNS."""
        times = (_value(self.ratios.get(region)) for region in ("US", "India"))
        energy, emitted = _three(self.joules), _three(self.grams)
        about = self.interval, self.conditions, self.source
        return (self.name, self.kind, self.scope, *energy, *emitted, *times, *about)


def section(gathered: ReportData) -> Section:
    """Tables and charts of both units, with what the comparison leaves out."""
    parts: list[Table | Chart] = []
    sentences = [
        "A dot is a figure, the line through it its absolute 95 % interval, where it has one: other "
        "intervals and ranges count other things, and are in the table only. Measured is solid, "
        "estimated hatched, published hollow. The scope is in each label: figures of different scope "
        "count different things, and are not to be ranked against each other."
    ]
    for unit in UNITS:
        found = list(entries(gathered, unit))
        drawn, hidden = _drawn(found)
        parts += _parts(unit, found, drawn)
        if hidden:
            sentences.append(
                f"Of measured {unit}s the {DRAWN} newest are drawn; the table has {hidden} more."
            )
    notes = (*_aside(gathered), *LEFT_OUT)
    return Section("Against people and published figures", (*sentences, *parts), notes, "people")


def _aside(gathered: ReportData) -> Iterator[str]:
    for reason, count in gathered.aside.items():
        yield f"Not shown here: {count} case{'s' * (count > 1)} of {reason}."


def entries(gathered: ReportData, unit: str) -> Iterator[Entry]:
    """All figures of one unit: measured, the paper, published, people."""
    settings, persons = gathered.settings, tomlinson2024.people()
    for found, row in gathered.compared:
        for line in lines([row], settings.grid, settings.pue):
            if line.unit == unit and line.kind != "published":
                yield _of_line(line, line.ratios(persons), found)
    for line in lines([], settings.grid, settings.pue):
        if line.unit == unit:
            yield _of_line(line, line.ratios(persons))
    yield from _published(unit)
    yield from _people(unit)


def _of_line(line: Line, ratios: dict[str, Range], found: StoredRecord | None = None) -> Entry:
    return Entry(
        name=line.name,
        kind=line.kind,
        scope=line.scope,
        joules=line.joules.range if line.joules else None,
        grams=line.grams.result.range,
        ratios=ratios,
        interval=line.interval,
        conditions=line.conditions,
        source=line.source,
        case=found.digest if found else None,
        machine=str(found.record.machine.name) if found else "",
    )


def _published(unit: str) -> Iterator[Entry]:
    """Published figures per page and per image, without those per query, token or prompt."""
    for row in chain.from_iterable(published(modality.name) for modality in modalities.of_unit(unit)):
        if row.joules is not None and row.unit.split("_")[0] == unit:
            conditions = ", ".join(f"{key} {value}" for key, value in row.conditions.items())
            about = "; ".join(filter(None, (row.hardware, conditions, row.boundary)))
            yield Entry(
                row.system,
                "published",
                row.scope,
                row.joules.range,
                None,
                {},
                conditions=about,
                source=row.source,
                key=row.id,
            )


def _people(unit: str) -> Iterator[Entry]:
    for each in select(unit=unit):
        name = f"{each.baseline.region} person, {each.baseline.method} ({each.baseline.id})"
        energy, grams = _energy_or_grams(each.result)
        yield Entry(
            name,
            "person",
            each.baseline.scope,
            energy,
            grams,
            {},
            conditions=each.method.about,
            source=each.baseline.source,
        )


def _energy_or_grams(result: Quantity) -> tuple[Range | None, Range | None]:
    if isinstance(result, Grams):
        return None, result.range
    return result.range * J_PER_WH, None


def _drawn(found: Sequence[Entry]) -> tuple[list[tuple[str, Entry]], int]:
    """Rows that fit into a chart, each under a label of its own, and how many it leaves to the table."""
    measured = [entry for entry in found if entry.case is not None]
    others = [entry for entry in found if entry.case is None]
    shown = [*measured[:DRAWN], *others]
    labels = apart([(entry.label, entry.case or entry.key or entry.source) for entry in shown])
    return list(zip(labels, shown, strict=True)), max(0, len(measured) - DRAWN)


def _parts(unit: str, found: Sequence[Entry], drawn: Sequence[tuple[str, Entry]]) -> Iterable[Table | Chart]:
    name = f"people-{unit}"
    low, high = tomlinson2024.span(unit)
    for quantity, title in (("grams", f"g CO2e per {unit}"), ("joules", f"joules per {unit}")):
        rows = [_dot(label, each, span) for label, each in drawn if (span := getattr(each, quantity))]
        yield Chart(
            f"{name}-{quantity}", f"{title}, on a logarithmic axis", partial(charts.dots, rows, title), name
        )
    rows = [
        _dot(f"{region} person / {label}", entry, times)
        for label, entry in drawn
        for region, times in entry.ratios.items()
    ]
    about = (
        f"How many times as much a person's {unit} emits, by the paper's count. "
        f"The shaded band is the paper's own {low:,.0f} to {high:,.0f}."
    )
    draw = partial(charts.dots, rows, f"person / model, times ({unit})", band=(low, high))
    yield Chart(f"{name}-times", about, draw, name)
    made = (TableRow(entry.cells(), entry.case) for entry in found)
    yield table(COLUMNS, made, f"One {unit}: measured, published, and people", name)


def grams(found: Sequence[Entry]) -> list[dict[str, object]]:
    """Data of a chart of grams."""
    drawn, _ = _drawn(found)
    return [_dot(label, each, each.grams) for label, each in drawn if each.grams]


def _dot(label: str, entry: Entry, span: Range) -> dict[str, object]:
    return {
        "label": label,
        "kind": entry.kind,
        "value": span.value,
        "interval": entry.interval,
        "low": span.low,
        "high": span.high,
        "conditions": clean(entry.conditions, 120),
    }


def _three(span: Range | None) -> tuple[Cell, Cell, Cell]:
    return (span.value, span.low, span.high) if span else (None, None, None)


def _value(span: Range | None) -> Cell:
    return span.value if span else None
