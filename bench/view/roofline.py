"""Limits and variants as tables: what `roofline show` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.compare.comparison import Comparison
from bench.compare.record_set import StoredRecord
from bench.compare.variant_groups import VariantGroup, named
from bench.roofline.utilisation import PhaseUtilisation
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.numbers import NOT_KNOWN
from bench.view.spans import by_width, ends

COLUMNS = columns(
    "phase, a batch",
    "#s",
    "#GB",
    "#TFLOP",
    "#of bandwidth",
    "#of matrix rate",
    "binds",
    "#J",
    "#J/GB",
    "#J/TFLOP",
)
LEGEND = (
    "Bytes and operations: what the shape asks for at least, worked out and not metered. Share: of the "
    "bandwidth and matrix rate measured on the device. `all`: whole blocks, sums of the known phases."
)


def sections(
    found: Sequence[StoredRecord],
    rows: Mapping[str, list[PhaseUtilisation]],
    families: Sequence[VariantGroup],
) -> Iterator[Section]:
    """A table a record, and one for each case that was measured plainly and in other ways."""
    for each in found:
        shown = rows[each.digest]
        notes = [f"{', '.join(phases)} {NOT_KNOWN} {why}" for why, phases in _reasons(shown).items()]
        part = (
            table(COLUMNS, map(_phase, shown)) if shown else f"{NOT_KNOWN} no valid block resolves its phases"
        )
        yield Section(f"{each.record.label}: {each.record.verdict}", (part,), tuple(notes))
    for family in families:
        notes = [f"{'; '.join(variants)}: {note}" for note, variants in _notes(family).items()]
        yield Section(f"Variants of {family.plain.record.label}", (_beside(family),), tuple(notes))
    random = any(each.record.case.weights.kind == "random" for each in found)
    shape = "random weights: joules are valid for the shape of the model, its output is meaningless."
    yield Section("", ((shape, LEGEND) if random else (LEGEND,)))


def _reasons(rows: Sequence[PhaseUtilisation]) -> dict[str, list[str]]:
    """Unknown values, once each, and their phases."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for why in row.absent:
            found.setdefault(why, []).append(row.phase)
    return found


def _notes(family: VariantGroup) -> dict[str, list[str]]:
    """Notes of a comparison beside its figures, once each, and the variants they are of."""
    found: dict[str, list[str]] = {}
    for variant, comparison in family.variants:
        for note in comparison.notes:
            found.setdefault(note, []).append(", ".join(named(variant.record)))
    return found


def _phase(row: PhaseUtilisation) -> tuple[Cell, ...]:
    demand, batches = row.demand, max(1, row.batches)
    return (
        row.phase,
        row.seconds / batches,
        demand.bytes / batches / 1e9 if demand else None,
        demand.operations / batches / 1e12 if demand else None,
        _share(row.bandwidth_share),
        _share(row.matrix_share),
        row.binds,
        row.joules / batches if row.joules is not None else None,
        row.joules_per_gb,
        row.joules_per_tflop,
    )


def _beside(family: VariantGroup) -> Table:
    unit, plain = family.plain.record.case.unit, family.plain.record
    heads = columns("variant", f"#J/{unit}", "#to plain", "#95 %", f"#s/{unit}", "#to plain", "verdict")
    first = ("plain", by_width(plain.headline()), "1", "", by_width(plain.figures.time_per_unit_s), "1", "")
    return table(heads, (first, *(_variant(found, each) for found, each in family.variants)))


def _variant(found: StoredRecord, comparison: Comparison) -> tuple[Cell, ...]:
    energy, seconds = (row.ratio if (row := comparison.row(name)) else None for name in ("energy", "time"))
    return (
        ", ".join(named(found.record)),
        by_width(found.record.headline()),
        by_width(energy),
        ends(energy),
        by_width(found.record.figures.time_per_unit_s),
        by_width(seconds),
        comparison.verdict if comparison.rows else _why(comparison),
    )


def _why(comparison: Comparison) -> str:
    said = [*(each.sentence for each in comparison.differences), *comparison.reasons]
    return f"{comparison.verdict}: {'; '.join(said)}"


def _share(value: float | None) -> Cell:
    return None if value is None else Written(f"{value * 100:.3g} %", value)
