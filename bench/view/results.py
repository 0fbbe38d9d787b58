"""The end of a run: a sentence a case, a table, and the notes that the figures need.

Grams and joules stay in the table's rows on a terminal of 80 columns; what has no room hangs beneath them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.catalog.variants import ways
from bench.core.quantities import J_PER_WH
from bench.core.record import Record
from bench.footprint.excluded_models import TOY, is_shape, is_toy
from bench.stats import uncertainty
from bench.stats.constant_power import follows_time, is_estimated
from bench.view import sentences
from bench.view.case_labels import record_labels
from bench.view.content import Cell, Section, columns, table
from bench.view.numbers import percent, with_interval
from bench.view.spans import by_width, value_text

FIRST = ("case", "per", "#J gross", "#g CO2e", "scope", "verdict")
"""Columns without notes: they fit a terminal of 80 columns."""
ASIDE = ("95 %", "weights", "J net", "Wh", "per s", "W", "blocks")
COLUMNS = columns(*FIRST, "#95 %", "weights", "#J net", "#Wh", "#per s", "#W", "#blocks", aside=ASIDE)
MORE = "What the figures include: `--notes`, or `python -m bench show RECORD`."
SHORT_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}


def section(records: Sequence[Record], *, notes: bool = True) -> Section:
    """A sentence and a row a record, and notes; without `notes` fewer columns and the warnings alone.

    Records of pairs have a first column with their side.
    """
    kept = len(COLUMNS) if notes else len(FIRST)
    names = record_labels([_name(record) for record in records], records)
    rows = [_row(record, name)[:kept] for record, name in zip(records, names, strict=True)]
    heads = COLUMNS[:kept]
    if any(record.pair for record in records):
        heads = (*columns("A/B"), *heads)
        rows = [(_side(record), *row) for record, row in zip(records, rows, strict=True)]
    told = [*_warnings(records), *(_notes(records) if notes else [MORE])]
    return Section("", (*sentences.of_records(records), "", table(heads, rows), "", *told))


def _side(record: Record) -> str:
    """Name of a record in the ratio of its pair."""
    return record.pair.side if record.pair else ""


def _name(record: Record) -> str:
    case = record.case
    at_once = case.workload.name if case.workload else f"b{case.batch}"
    short = f"{case.model} {SHORT_DTYPES.get(case.dtype, case.dtype)} {at_once} {case.size}".rstrip()
    copies = f"{case.replicas} replicas" if case.replicas else ""
    return " ".join(filter(None, [short, *ways(case.as_mapping() | case.options), copies]))


def _row(record: Record, name: str) -> tuple[Cell, ...]:
    figures, case = record.figures, record.case
    counted, verdict = _blocks(record), _verdict(record)
    scope = figures.headline_scope
    if scope is None:
        return (name, case.unit, None, None, None, verdict, None, case.weights.kind, *[None] * 4, counted)
    energy, power = figures.energy_per_unit_j[scope], figures.power_w[scope].gross
    carbon = figures.carbon_per_unit_g.get(scope)
    return (
        name,
        case.unit,
        with_interval(energy.gross),
        by_width(carbon.gross) if carbon else None,
        scope if energy.kind == "measured" else f"{scope}, {energy.kind}",
        verdict,
        percent(energy.gross),
        case.weights.kind,
        by_width(energy.net),
        by_width(energy.gross.in_units_of(J_PER_WH) if energy.gross else None),
        by_width(figures.units_per_second),
        by_width(power),
        counted,
    )


def _blocks(record: Record) -> str:
    measured = [block for block in record.blocks if not block.warmup]
    valid = sum(block.valid for block in measured)
    return str(valid) if valid == len(measured) else f"{valid} of {len(measured)}"


def _verdict(record: Record) -> str:
    if record.verdict == "failed" and record.failure:
        return f"failed ({record.failure.stage})"
    if record.verdict == "inconclusive" and record.ended is not None:
        return f"{record.verdict} (wanted ±{record.ended.target * 100:.3g} %)"
    quick = record.ended is not None and record.ended.quick
    return f"{record.verdict}, quick" if quick else record.verdict


def _warnings(records: Sequence[Record]) -> Iterable[str]:
    """Notes without which a figure would be misread, once each."""
    yield from _reasons(records)
    if toys := [record for record in records if is_toy(record)]:
        named = list(dict.fromkeys(record.case.model for record in toys))
        yield f"{_few(named, f'{len(named)} models')}: {TOY}."
    if any(is_shape(record) and not is_toy(record) for record in records):
        yield (
            "random weights: the true architecture with random numbers. Joules are valid for the shape; "
            "the output is meaningless."
        )
    if estimated := _estimated(records):
        yield (
            f"estimated, scope {' and '.join(estimated)}: not all could be metered; CodeCarbon's model of "
            "CPU and memory is used, and the interval does not include that model's own error."
        )
    if time_only := follows_time(*filter(is_estimated, records)):
        yield time_only


def _reasons(records: Sequence[Record]) -> Iterable[str]:
    """Each reason and its remedy once, behind the cases that share them."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for record in records:
        remedy = record.failure.remedy if record.failure else None
        said = (*record.distinct_reasons, *([f"  {remedy}"] if remedy else []))
        if said:
            shared.setdefault(said, []).append(record.label)
    for (first, *more), labels in shared.items():
        named = _few(list(dict.fromkeys(labels)), f"{len(labels)} of {len(records)} cases")
        yield f"{named}: {first}" if not first.startswith("  ") else f"{named}:{first[1:]}"
        yield from (each if each.startswith("  ") else f"{named}: {each}" for each in more)


def _notes(records: Sequence[Record]) -> Iterable[str]:
    """Notes on what the figures include, once each."""
    if any(block.words_kind == "assumed" for record in records for block in record.blocks):
        ratios = {float(ratio) for record in records if (ratio := record.case.tokens_per_word)}
        stated = ", ".join(f"{ratio:g}" for ratio in sorted(ratios))
        yield f"Pages of random weights: an assumed {stated} tokens a word, 250 words a page."
    carbon = next((record.carbon for record in records if record.carbon), None)
    if carbon and carbon.intensity_g_per_kwh is not None:
        year = f" {carbon.year}" if carbon.year else ""
        yield f"g CO2e: {carbon.country}{year}, {carbon.intensity_g_per_kwh:g} g/kWh ({carbon.source})."
    over = " or ".join(sorted({_samples(record) for record in records}))
    yield (
        f"J gross: mean over {over} ± half its 95 % t interval, same machine; J net: gross minus idle power."
    )
    yield from _absolute(records)
    yield from _warm_up_cut_short(records)


def _samples(record: Record) -> str:
    """Samples of which the headline is the mean."""
    served = record.figures.served
    return f"{served.restarts.starts} starts of the server" if served and served.restarts else "blocks"


def _estimated(records: Sequence[Record]) -> list[str]:
    """The scopes at which some record's figure is not all measured."""
    figures = [item for record in records for item in record.figures.energy_per_unit_j.items()]
    return sorted({scope for scope, figure in figures if figure.kind != "measured"})


def _warm_up_cut_short(records: Sequence[Record]) -> Iterable[str]:
    cut = [record for record in records if record.ended and record.ended.warmup_by == "max_seconds"]
    if cut:
        named = _few([each.label for each in cut], f"{len(cut)} of {len(records)} cases")
        which = "warm-up" if len(cut) == len(records) else f"warm-up of {named}"
        yield f"{which} ended by its time, before rounds agreed: the first blocks may still be warming up."


MOST_NAMED = 3
"""Names in a note; of more their number is said, and each record has its own."""


def _few(names: Sequence[str], otherwise: str) -> str:
    return ", ".join(names) if len(names) <= MOST_NAMED else otherwise


_BUDGET = "`python -m bench show --budget FILE`"


def _absolute(records: Sequence[Record]) -> Iterable[str]:
    """Uncertainty of the headlines of metered GPUs against other machines; empty if none was metered."""
    unknown, corrected = [], []
    for record in records:
        if record.figures.headline_scope != "gpu":
            continue
        gross = (record.figures.uncertainty or uncertainty.of(record)).gross
        relative = gross.absolute.relative_half_width if gross and gross.absolute else None
        if gross is None or gross.absolute is None or relative is None:
            continue
        if gross.correction_j is None:
            unknown.append(relative)
        else:
            value = f"{value_text(gross.absolute)} J/{record.case.unit}"
            corrected.append(f"{record.case.model} {value} ±{_percent(relative)} %")
    if unknown:
        low, high = _percent(min(unknown)), _percent(max(unknown))
        span = f"±{low} %" if low == high else f"±{low} to ±{high} %"
        yield f"absolute, other machines: {span}, the card's unknown gain included ({_BUDGET})."
    if corrected:
        text = "; ".join(corrected)
        yield f"absolute, other machines, corrected by the card's calibration: {text} ({_BUDGET})."


def _percent(share: float) -> str:
    return f"{share * 100:.{0 if share >= 0.02 else 1}f}"
