"""`python -m bench show FILE`: one record, for a person or for a machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from bench.analysis import windows
from bench.analysis.metrics import METRICS
from bench.cli import budgets, completing, options, pairing
from bench.cli.record_arguments import named_records
from bench.cli.tables import cell, render, results_table
from bench.core.record import Record
from bench.records import store, uncertainty
from bench.report.numbers import NOT_KNOWN, digits, duration, percent, plain, with_interval


@click.command("show")
@click.argument("names", nargs=-1, required=True, metavar="RECORD...", shell_complete=completing.files)
@click.option("--json", "as_json", is_flag=True, help="The record as JSON, checked.")
@click.option("--budget", is_flag=True, help="Only the uncertainty of its headline, input by input.")
@options.results_option
@options.debug_option
def command(names: tuple[str, ...], as_json: bool, budget: bool, results: Path, debug: bool) -> int:  # noqa: ARG001
    """Print records for a person, or as JSON: one document a record.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input.
    """
    for record in named_records(names, results):
        if budget:
            _budget(record, as_json=as_json)
        else:
            _show(record, as_json=as_json)
    return 0


def _show(record: Record, *, as_json: bool) -> None:
    if as_json:
        click.echo(store.to_json(record), nl=False)
        return
    click.echo(render(_title(record)), nl=False)
    click.echo(results_table([record]), nl=False)
    click.echo(render(*_sections(record)), nl=False)


def _title(record: Record) -> Text:
    return cell(f"{record.label}   {record.verdict}   {record.created}   hash {record.case.hash}")


def _budget(record: Record, *, as_json: bool) -> None:
    """The budget that the record holds, or, for an older one, the one that its blocks give."""
    found = record.figures.uncertainty or uncertainty.of(record)
    if as_json:
        click.echo(json.dumps(found.model_dump(mode="json"), indent=2, allow_nan=False))
    else:
        click.echo(render(_title(record), *budgets.sections(record, found)), nl=False)


def _sections(record: Record) -> Iterable[Any]:
    if record.figures.energy_per_unit_j:
        yield Text("Figures", style="bold")
        yield _figures(record)
    if record.idle:
        yield Text("Idle, model loaded", style="bold")
        yield _idle(record)
    if record.blocks:
        yield Text("Blocks", style="bold")
        yield _blocks(record)
    yield Text("Conditions", style="bold")
    yield _facts(record)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
    return table


def _add(table: Table, *values: object) -> None:
    table.add_row(*map(cell, values))


def _figures(record: Record) -> Table:
    table = _table("figure", "gross", "95 %", "net", "kind")
    unit, figures = record.case.unit, record.figures
    named = (
        (f"J per {unit}", figures.energy_per_unit_j),
        ("J per item", figures.energy_per_item_j),
        ("J per token", figures.energy_per_token_j),
        (f"g CO2e per {unit}", figures.carbon_per_unit_g),
        ("W", figures.power_w),
    )
    for name, scopes in named:
        for scope, found in scopes.items():
            gross, net = with_interval(found.gross), with_interval(found.net)
            _add(table, f"{name}, {scope}", gross, percent(found.gross), net, found.kind)
    if (time_s := figures.time_per_unit_s) is not None:
        _add(table, f"s per {unit}", with_interval(time_s), percent(time_s), NOT_KNOWN, "measured")
    for phase, share in figures.phase_time_share.items():
        energy = figures.phase_energy_share.get(phase)
        joules = f", {energy:.1%} of the joules" if energy is not None else ""
        _add(table, f"phase {phase}", f"{share:.1%} of the time{joules}", "", "", "")
    return table


def _idle(record: Record) -> Table:
    table = _table("domain", "W", "sd", "before", "after", "kind")
    for domain, idle in record.idle.items():
        values = (idle.power_w, idle.sd_w, idle.before, idle.after)
        _add(table, domain, *map(plain, values), idle.kind)
    return table


def _blocks(record: Record) -> Table:
    table = _table(
        "block", "s", "rests, s", "items", "units", "J", "J/unit", "edges", "CodeCarbon − NVML", "valid"
    )
    for number, block in enumerate(record.blocks, start=1):
        joules = block.joules(block.scope).gross_j
        each = joules / block.units if joules is not None and block.units else None
        off = block.codecarbon.disagreement if block.codecarbon else None
        name = f"{number} warm-up" if block.warmup else str(number)
        verdict = "yes" if block.valid else f"no: {'; '.join(block.reasons)}"
        difference = NOT_KNOWN if off is None else f"{off:+.2%}"
        edges = windows.edge_half_width(block)
        cells = (
            plain(block.duration_s, 4),
            plain(block.rest_s),
            str(block.items),
            plain(block.units),
            plain(joules, 4),
            plain(each),
            NOT_KNOWN if edges is None else f"±{digits(edges * 100, 2)} %",
        )
        _add(table, name, *cells, difference, verdict)
    return table


def _facts(record: Record) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    case, ended = record.case, record.ended
    rows: list[tuple[str, Any]] = [
        ("machine", record.machine.name),
        ("ran on", record.machine.device),
        ("weights", _pairs(case.weights.as_mapping())),
        ("work", _pairs(case.options)),
        ("dtype, batch, seed", f"{case.dtype}, {case.batch}, {case.seed}"),
    ]
    if record.engine:
        rows += [(f"really used: {key}", value) for key, value in record.engine.used.items()]
        rows.append(("parameters", _pairs(record.engine.parameters)))
        rows.append(("memory", _memory(record)))
    if record.pair:
        ratio = record.pair.ratio
        came_to = pairing.ratio_of(ratio, case.unit) if ratio else "no ratio, for lack of valid pairs"
        rows.append(("in turns", f"{record.pair.side}, with {record.pair.other}: {came_to}"))
    if record.requested:
        rows.append(("asked for", f"batch {record.requested.batch} ({record.requested.reason})"))
    if ended:
        reached = f"{ended.achieved:.1%}" if ended.achieved is not None else NOT_KNOWN
        limits = f"target {ended.target * 100:.3g}%, at most {duration(ended.max_seconds)}"
        rows.append(("blocks", windows.block_length(record)))
        rows.append(("ended by", f"{ended.by} at ±{reached} ({limits}); warm-up by {ended.warmup_by}"))
    delays = windows.counter_delays(record)
    rows += [(f"counter's delay, {domain}", delay) for domain, delay in delays.items()]
    rows += [(f"not metered: {domain}", reason) for domain, reason in record.absent.items()]
    rows.append(("libraries", _pairs(record.provenance.libraries)))
    rows.append(("command", record.provenance.command))
    for name, value in rows:
        if value not in (None, ""):
            _add(table, name, value)
    return table


def _memory(record: Record) -> str:
    """What the model takes loaded, and the most that the work took; what is not known is left out."""
    peak = METRICS["memory"]
    said = ((peak, "at most", "at work"), (peak.instead, "", "loaded"))
    known = [
        f"{before} {digits(bytes_ / 1e9)} GB {when}".lstrip()
        for metric, before, when in said
        if metric and (bytes_ := metric.read(record).median) is not None
    ]
    return ", ".join(reversed(known))


def _pairs(found: Any) -> str | None:
    """`name value, name value`, without what is not known; anything that is no mapping as it is."""
    if not isinstance(found, dict):
        return None if found is None else str(found)
    return ", ".join(f"{name} {_grouped(value)}" for name, value in found.items() if value is not None)


def _grouped(value: Any) -> str:
    """`559,214,592` for a count, anything else as it is."""
    return f"{value:,}" if type(value) is int else str(value)
