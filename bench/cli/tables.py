"""The table at the end of a run, and what has to be said beneath it for the figures to be read rightly."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from bench.cli.numbers import NOT_KNOWN, percent, plain, with_interval
from bench.records.schema import Record

J_PER_WH = 3600.0
PIPE_WIDTH = 150
SHORT_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}


def render(*parts: object) -> str:
    """Rich objects as text for stdout: colours and the terminal's width on a terminal, plain when piped."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if terminal else PIPE_WIDTH
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, force_terminal=terminal, highlight=False, soft_wrap=False)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def results_table(records: Sequence[Record]) -> str:
    """One row a record: J per unit ± interval, Wh, g CO2e, units per second, watts, verdict."""
    if not records:
        return ""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in (
        "case",
        "weights",
        "scope",
        "per",
        "J gross",
        "95 %",
        "J net",
        "Wh",
        "g CO2e",
        "per s",
        "W",
        "blocks",
        "verdict",
    ):
        numeric = name not in ("case", "weights", "scope", "per", "verdict")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for record in records:
        table.add_row(*_row(record))
    return "\n" + render(table, "\n".join(_notes(records)))


def _row(record: Record) -> list[str]:
    figures = record.figures
    scope = figures.headline_scope
    unit = str(record.case["unit"])
    if scope is None:
        return [*_case(record), NOT_KNOWN, unit, *[NOT_KNOWN] * 7, _blocks(record), _verdict(record)]
    energy = figures.energy_per_unit_j[scope]
    gross = energy.gross
    carbon = figures.carbon_per_unit_g.get(scope)
    power = figures.power_w[scope].gross
    return [
        *_case(record),
        scope if energy.kind == "measured" else f"{scope}, {energy.kind}",
        unit,
        with_interval(gross),
        percent(gross),
        plain(energy.net.value if energy.net else None),
        plain(gross.value / J_PER_WH if gross else None),
        plain(carbon.gross.value if carbon and carbon.gross else None),
        plain(figures.units_per_second.value if figures.units_per_second else None),
        plain(power.value if power else None),
        _blocks(record),
        _verdict(record),
    ]


def _case(record: Record) -> tuple[str, str]:
    """`bloom-7b1 bf16 b8` and where its weights are from."""
    case = record.case
    dtype = SHORT_DTYPES.get(str(case["dtype"]), str(case["dtype"]))
    return f"{case['model']} {dtype} b{case['batch']}", str(case["weights"]["kind"])


def _blocks(record: Record) -> str:
    measured = [block for block in record.blocks if not block.warmup]
    valid = sum(block.valid for block in measured)
    return str(valid) if valid == len(measured) else f"{valid} of {len(measured)}"


def _verdict(record: Record) -> str:
    if record.status == "failed" and record.failure:
        return f"failed ({record.failure['stage']})"
    missed = record.ended is not None and record.ended.by == "max_seconds"
    if record.status == "ok" and missed and (record.ended.achieved or 1) > record.ended.target:  # type: ignore[union-attr]
        return "ok, target missed"
    return record.status


def _notes(records: Sequence[Record]) -> Iterable[str]:
    """What a reader must know, once each, in the order of importance."""
    yield ""
    for record in records:
        if record.status != "ok":
            for reason in _one_of_each(record.reasons):
                yield f"{record.label}: {reason}"
            if record.failure and record.failure.get("remedy"):
                yield f"  {record.failure['remedy']}"
    if any(record.case["weights"]["kind"] == "random" for record in records):
        yield (
            "random weights: the true architecture with random numbers. Joules hold for the shape; "
            "the output is meaningless."
        )
    if any(block.words_kind == "assumed" for record in records for block in record.blocks):
        yield "Pages of random weights: tokens over an assumed number of tokens a word, 250 words a page."
    kinds = {figure.kind for record in records for figure in record.figures.energy_per_unit_j.values()}
    if kinds & {"estimated", "mixed"}:
        yield (
            "estimated: not all of it could be metered; CodeCarbon's model of CPU and memory stands in, "
            "and the interval says nothing of that model's own error."
        )
    carbon = next((record.carbon for record in records if record.carbon), None)
    if carbon and carbon.intensity_g_per_kwh is not None:
        year = f" {carbon.year}" if carbon.year else ""
        yield f"g CO2e: {carbon.country}{year}, {carbon.intensity_g_per_kwh:g} g/kWh ({carbon.source})."
    yield "J gross: mean over blocks ± half its 95 % t interval, same machine; J net: gross minus idle power."
    yield ""


def _one_of_each(reasons: Sequence[str]) -> list[str]:
    """The first reason of each rule: blocks that broke the same one differ only in its figures."""
    first: dict[str, str] = {}
    for reason in reasons:
        first.setdefault(reason.partition(":")[0], reason)
    return list(first.values())
