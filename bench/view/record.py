"""A record by itself: figures, idle power, blocks and conditions, in the order of interest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.compare.cards_apart import cards_described
from bench.compare.metrics import METRICS
from bench.compare.multiples import Multiple
from bench.core.domain import by_scope
from bench.core.energy import complete_sum
from bench.core.figures import TokenFigures
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.core.recorded import RecordedCase
from bench.stats import phase_figures, token_figures
from bench.stats.figures import NO_PHASE_METER, counting
from bench.view import multiples, pair, results, served, window_facts
from bench.view.blocks import blocks
from bench.view.content import Cell, Section, Table, columns, pairs, table
from bench.view.numbers import NOT_KNOWN, digits, duration, percent, with_interval

FIGURES = "Figures"
"""Title of the first table of a record."""
IDLE_PHASES = frozenset({"tool_pause"})
"""Phases in which the loaded model waits, so that its idle power is an estimate of theirs."""


def title(record: Measurement) -> str:
    """One line that identifies the record."""
    work = f"   hash {record.work_key}" if isinstance(record, Record) else ""
    return f"{record.label}   {record.verdict}   {record.created}{work}"


def sections(record: Measurement, parts: Sequence[Multiple] = ()) -> Iterator[Section | Table | str]:
    """Output of `bench show`; `parts` are what its models make by themselves."""
    yield title(record)
    if isinstance(record, Record):
        yield results.section([record])
    else:
        yield from record.distinct_reasons
    if record.figures.energy_per_unit_j:
        yield Section(FIGURES, (_figures(record),))
    if record.figures.served is not None:
        yield served.section(record.figures.served, record.blocks)
    if (nodes := served.nodes(record.figures, record.machine, record.unit)) is not None:
        yield nodes
    if record.figures.phase_time_share:
        yield Section("Phases", (_phases(record), *_without_joules(record)))
    if isinstance(record, Record) and (counted := _counts(record)):
        yield Section(f"Tokens per {record.unit}", (counted,))
    if parts:
        yield multiples.section(parts, record.unit)
    if record.idle:
        yield Section("Idle, model loaded", (_idle(record),))
    if record.blocks:
        yield Section("", (blocks(record),))
    yield Section("Conditions", (pairs(_facts(record)),))


def _figures(record: Measurement) -> Table:
    unit, found = record.unit, record.figures
    tokens = token_figures.of(record) or TokenFigures()
    named = (
        (f"J per {unit}", found.energy_per_unit_j),
        ("J per item", found.energy_per_item_j),
        ("J per output token", token_figures.per_output_token(record)),
        ("J per input token", tokens.per_input_token_j),
        ("J per total token", tokens.per_total_token_j),
        ("output tokens per J", tokens.output_tokens_per_j),
        (f"g CO2e per {unit}", found.carbon_per_unit_g),
        ("W", found.power_w),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            f"{name}, {scope}",
            with_interval(each.gross),
            percent(each.gross),
            with_interval(each.net),
            each.kind,
        )
        for name, scopes in named
        for scope, each in scopes.items()
    ]
    rows += [
        (f"J of {phase} per {side} token, gpu", with_interval(each), percent(each), None, "measured")
        for phase, side in (
            ("prefill", "input"),
            ("encoder", "input"),
            ("decode", "output"),
            ("text", "output"),
        )
        if (each := tokens.per_token_of_phase_j.get(phase)) is not None
    ]
    if (share := tokens.reasoning_token_share) is not None:
        rows.append(
            ("reasoning, share of output tokens", with_interval(share), percent(share), None, "counted")
        )
    if (time_s := found.time_per_unit_s) is not None:
        rows.append((f"s per {unit}", with_interval(time_s), percent(time_s), None, "measured"))
    return table(columns("figure", "#gross", "#95 %", "#net", "kind"), rows)


def _phases(record: Measurement) -> Table:
    found, per_unit = record.figures, phase_figures.per_unit_j(record.blocks)
    rows = (
        (
            phase,
            100 * share,
            None if (joules := found.phase_energy_share.get(phase)) is None else 100 * joules,
            with_interval(per_unit.get(phase)),
        )
        for phase, share in found.phase_time_share.items()
    )
    heads = columns("phase", "#% of the time", "#% of the joules", f"#J per {record.unit}, gpu")
    return table(heads, rows)


def _counts(record: Record) -> Table | None:
    """Calls and tokens of each stage or turn, a unit; `None` where the modality does not count them."""
    used = counting(record.blocks)
    units = sum(block.units or 0.0 for block in used)
    totals: Counter[str] = Counter()
    for block in used:
        totals.update(block.observed.counts)
    names = dict.fromkeys(key.rpartition(".")[0] for key in totals if key.endswith(".calls"))
    counted = ("calls", "input_tokens", "output_tokens")
    rows: list[tuple[Cell, ...]] = [
        (name, *(totals[f"{name}.{what}"] / units for what in counted)) for name in names
    ]
    return table(columns("part", "#calls", "#tokens read", "#tokens written"), rows) if rows else None


def _without_joules(record: Measurement) -> Iterator[str]:
    """Reasons for phases without joules, once each."""
    found = record.figures
    lacking = [phase for phase in found.phase_time_share if phase not in found.phase_energy_share]
    reasons = {phase: found.absent.get(f"phase_energy_share.{phase}", NO_PHASE_METER) for phase in lacking}
    for reason in dict.fromkeys(reasons.values()):
        phases = [phase for phase in lacking if reasons[phase] == reason]
        named = "all phases" if len(phases) == len(found.phase_time_share) else ", ".join(phases)
        yield f"joules of {named}: {reason}."
    for phase in IDLE_PHASES & set(lacking):
        yield from _at_idle(record, phase)


def _at_idle(record: Measurement, phase: str) -> Iterator[str]:
    """Estimate of a phase in which the loaded model waits; nothing where its idle power is not known."""
    found, scope = record.figures, record.figures.headline_scope
    domains = found.energy_per_unit_j[scope].domains if scope else {}
    powers = [record.idle[name].power_w if name in record.idle else None for name in domains]
    watts, time_s = complete_sum(powers), found.time_per_unit_s
    if not watts or time_s is None:
        return
    seconds = found.phase_time_share[phase] * time_s.value
    joules = f"{phase}: about {digits(watts * seconds)} J per {record.unit}, estimated"
    yield f"{joules}: {digits(seconds)} s at the {digits(watts)} W of the loaded model at idle."


def _idle(record: Measurement) -> Table:
    rows = (
        (domain, idle.power_w, idle.sd_w, idle.before, idle.after, idle.kind)
        for domain, idle in record.idle.items()
    )
    return table(columns("domain", "#W", "#sd", "#before", "#after", "kind"), rows)


def _facts(record: Measurement) -> list[tuple[str, str]]:
    """Conditions of the figures, without unknown ones."""
    ended = record.ended
    rows: list[tuple[str, Any]] = [("machine", record.machine.name), ("ran on", record.machine.device)]
    rows.append(("cards", cards_described(record)))
    if isinstance(record, Record):
        rows += _of_case(record.case)
    if record.engine:
        rows += [(f"really used: {key}", _listed(value)) for key, value in record.engine.used.items()]
        rows.append(("parameters", _listed(record.engine.parameters)))
        rows.append(("memory", _memory(record)))
    if isinstance(record, Record):
        rows += _of_run(record)
    if record.pair:
        ratio = record.pair.ratio
        came_to = pair.ratio_of(ratio, record.unit) if ratio else "no ratio, for lack of valid pairs"
        rows.append(("in turns", f"{record.pair.side}, with {record.pair.other}: {came_to}"))
    if isinstance(record, Record) and record.requested:
        rows.append(("asked for", f"batch {record.requested.batch} ({record.requested.reason})"))
    if ended:
        reached = f"{ended.achieved:.1%}" if ended.achieved is not None else NOT_KNOWN
        limits = f"target {ended.target * 100:.3g}%, at most {duration(ended.max_seconds)}"
        rows.append(("blocks", window_facts.block_length(record)))
        rows.append(("ended by", f"{ended.by} at ±{reached} ({limits}); warm-up by {ended.warmup_by}"))
    rows += [("side by side", window_facts.side_by_side(record))]
    rows += [("replicas", window_facts.replicas(record)), ("neighbours", window_facts.neighbours(record))]
    delays = window_facts.counter_delays(record)
    rows += [(f"counter's delay, {domain}", delay) for domain, delay in delays.items()]
    rows += [(f"not metered: {domain}", reason) for domain, reason in record.absent.items()]
    rows.append(("libraries", _listed(record.provenance.libraries)))
    rows.append(("command", record.provenance.command))
    return [(name, str(value)) for name, value in rows if value not in (None, "")]


def _of_case(case: RecordedCase) -> Iterator[tuple[str, str | None]]:
    yield "weights", _listed(case.weights.as_mapping())
    yield "work", _listed(case.options)
    yield "dtype, batch, seed", f"{case.dtype}, {case.batch}, {case.seed}"


def _of_run(record: Record) -> Iterator[tuple[str, str]]:
    """Joules of loading, scope by scope, and the place in a sweep; nothing of what a record does not hold."""
    if (loading := record.loading) is not None:
        for scope in by_scope(loading.energy):
            found = loading.joules(scope)
            joules = (
                f"not known: {found.reason}"
                if found.gross_j is None
                else f"{digits(found.gross_j)} J, {found.kind}"
            )
            yield f"loading, {scope}", f"{joules}, in {duration(loading.duration_s)}"
    if (point := record.sweep) is not None:
        order = point.order if point.order_seed is None else f"{point.order} by seed {point.order_seed}"
        yield "sweep", f"{point.number} of {point.total}, {order}: {_listed(point.axes) or 'no axis'}"


def _memory(record: Measurement) -> str:
    """Memory of the loaded model, and the most that the work took; unknown values are left out."""
    peak = METRICS["memory"]
    said = ((peak, "at most", "at work"), (peak.instead, "", "loaded"))
    known = [
        f"{before} {digits(bytes_ / 1e9)} GB {when}".lstrip()
        for metric, before, when in said
        if metric and (bytes_ := metric.read(record).median) is not None
    ]
    return ", ".join(reversed(known))


def _listed(found: Any) -> str | None:
    """Format a mapping as `name value, name value`, without absent values, and a list with commas."""
    if isinstance(found, Mapping):
        return ", ".join(f"{name} {_grouped(value)}" for name, value in found.items() if value is not None)
    if isinstance(found, list | tuple):
        return ", ".join(map(_grouped, found))
    return None if found is None else str(found)


def _grouped(value: Any) -> str:
    """`559,214,592` for a count, lists and mappings in brackets, anything else as it is."""
    if isinstance(value, Mapping | list | tuple):
        return f"({_listed(value)})"
    return f"{value:,}" if type(value) is int else str(value)
