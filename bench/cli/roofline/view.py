"""Limits and variants as tables: what `roofline show` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from bench.analysis.compare import Comparison
from bench.analysis.families import Family, named
from bench.analysis.limits import Row
from bench.analysis.sources import Found
from bench.cli.tables import cell
from bench.core.record import Record
from bench.report.numbers import NOT_KNOWN, plain


def parts(
    found: Sequence[Found], rows: Mapping[str, list[Row]], families: Sequence[Family]
) -> Iterable[Text | Table]:
    """A table a record, and one for each case that was measured plainly and in other ways."""
    for each in found:
        yield cell(f"{each.record.label}: {each.record.verdict}")
        shown = rows[each.digest]
        if shown:
            yield _table(shown)
        else:
            yield cell(f"  {NOT_KNOWN} no valid block tells its phases")
        for why, phases in _reasons(shown).items():
            yield cell(f"  {', '.join(phases)} {NOT_KNOWN} {why}")
        yield Text()
    for family in families:
        yield cell(f"Variants of {family.plain.record.label}")
        yield _beside(family)
        for note, variants in _notes(family).items():
            yield cell(f"  {'; '.join(variants)}: {note}")
        yield Text()
    if any(each.record.case.weights.kind == "random" for each in found):
        yield cell("random weights: joules hold for the shape of the model, its output is meaningless.")
    yield cell(
        "Bytes and operations: what the shape asks for at least, worked out and not metered. Share: of the "
        "bandwidth and matrix rate measured on the device. `all`: whole blocks, sums of the known phases."
    )


def _reasons(rows: Sequence[Row]) -> dict[str, list[str]]:
    """What is not known, once each, and of which phases."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for why in row.absent:
            found.setdefault(why, []).append(row.phase)
    return found


def _notes(family: Family) -> dict[str, list[str]]:
    """What a comparison says beside its figures, once each, and of which variants."""
    found: dict[str, list[str]] = {}
    for variant, comparison in family.variants:
        for note in comparison.notes:
            found.setdefault(note, []).append(", ".join(named(variant.record)))
    return found


def _table(rows: Sequence[Row]) -> Table:
    names = ("s", "GB", "TFLOP", "of bandwidth", "of matrix rate", "binds", "J", "J/GB", "J/TFLOP")
    table = _plain_table("  phase, a batch", *names)
    for row in rows:
        demand, batches = row.demand, max(1, row.batches)
        values = (
            f"  {row.phase}",
            plain(row.seconds / batches),
            plain(demand.bytes / batches / 1e9 if demand else None),
            plain(demand.operations / batches / 1e12 if demand else None),
            _share(row.bandwidth_share),
            _share(row.matrix_share),
            row.binds or NOT_KNOWN,
            plain(row.joules / batches if row.joules is not None else None),
            plain(row.joules_per_gb),
            plain(row.joules_per_tflop),
        )
        table.add_row(*map(cell, values))
    return table


def _beside(family: Family) -> Table:
    unit = family.plain.record.case.unit
    table = _plain_table("  variant", f"J/{unit}", "to plain", "95 %", f"s/{unit}", "to plain", "verdict")
    first = ("  plain", _joules(family.plain.record), "1", "", _seconds(family.plain.record), "1", "")
    table.add_row(*map(cell, first))
    for found, comparison in family.variants:
        energy, seconds = (
            row.ratio if (row := comparison.row(name)) else None for name in ("energy", "time")
        )
        between = NOT_KNOWN
        if energy is not None and energy.low is not None and energy.high is not None:
            between = f"{energy.low:.3f} to {energy.high:.3f}"
        values = (
            f"  {', '.join(named(found.record))}",
            _joules(found.record),
            f"{energy.value:.3f}" if energy else NOT_KNOWN,
            between,
            _seconds(found.record),
            f"{seconds.value:.3f}" if seconds else NOT_KNOWN,
            comparison.verdict if comparison.rows else _why(comparison),
        )
        table.add_row(*map(cell, values))
    return table


def _why(comparison: Comparison) -> str:
    said = [*(each.sentence for each in comparison.differences), *comparison.reasons]
    return f"{comparison.verdict}: {'; '.join(said)}"


def _joules(record: Record) -> str:
    scope = record.figures.headline_scope
    gross = record.figures.energy_per_unit_j[scope].gross if scope else None
    return plain(gross.value if gross else None, 4)


def _seconds(record: Record) -> str:
    found = record.figures.time_per_unit_s
    return plain(found.value if found else None, 4)


def _share(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{value * 100:.3g} %"


def _plain_table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for number, name in enumerate(columns):
        text = number == 0 or name in ("binds", "verdict")
        table.add_column(name, justify="left" if text else "right", no_wrap=not text)
    return table
