"""The table at the end of a run, and what has to be said beneath it for the figures to be read rightly."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.catalog.variants import ways
from bench.core import modalities
from bench.core.record import Record
from bench.core.recorded import RecordedCase
from bench.records import uncertainty
from bench.records.standing import TOY, is_shape, is_toy
from bench.report.numbers import NOT_KNOWN, digits, percent, plain, with_interval

J_PER_WH = 3600.0
PIPE_WIDTH = 180
NUMERIC = {
    "case": False,
    "weights": False,
    "scope": False,
    "per": False,
    "J gross": True,
    "95 %": True,
    "J net": True,
    "Wh": True,
    "g CO2e": True,
    "per s": True,
    "W": True,
    "blocks": True,
    "verdict": False,
}
"""The table's columns in order, and which of them hold numbers."""
DISPENSABLE = ("Wh", "95 %", "blocks", "per s", "W", "J net", "g CO2e")
"""What a narrow terminal does without, first to go first."""
SHORT_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}


def on_terminal() -> bool:
    """Whether stdout is there and is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def width() -> int:
    """Columns of the terminal; `PIPE_WIDTH` in a pipe."""
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if on_terminal() else PIPE_WIDTH


def render(*parts: object) -> str:
    """Rich objects as text for stdout: colours and the terminal's width on a terminal, plain when piped."""
    terminal = on_terminal()
    if not terminal and all(isinstance(part, Text | Table) for part in parts):
        drawn = [_drawn_plainly(part) for part in parts]
        if all(each is not None for each in drawn):
            return "\n".join(line.rstrip() for each in drawn for line in each or ()) + "\n"
    buffer = io.StringIO()
    console = Console(file=buffer, width=width(), force_terminal=terminal, highlight=False, markup=False)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _drawn_plainly(part: object) -> list[str] | None:
    """What rich draws in a pipe, in a fortieth of its time; `None` where a line has to be wrapped."""
    if isinstance(part, Text):
        lines = part.plain.split("\n")
    elif isinstance(part, Table) and _is_open(part):
        right, left = part.padding[1], part.padding[3]
        columns = []
        for column in part.columns:
            shown = [column.header, *column.cells] if part.show_header else column.cells
            texts = [each.plain if isinstance(each, Text) else each for each in shown]
            if not all(isinstance(text, str) and "\n" not in text for text in texts):
                return None
            columns.append(_padded(list(map(str, texts)), column.justify))
        lines = [(" " * (right + left)).join(cells) for cells in zip(*columns, strict=True)]
    else:
        return None
    return lines if lines and all(cell_len(line) <= PIPE_WIDTH for line in lines) else None


def _is_open(table: Table) -> bool:
    """Whether a table has nothing but columns as wide as their texts."""
    return table.box is None and not (
        table.title
        or table.caption
        or table.expand
        or table.pad_edge
        or table.show_footer
        or table.leading
        or any(column.width or column.min_width or column.max_width for column in table.columns)
    )


def _padded(texts: list[str], justify: str) -> list[str]:
    """A column's texts, each as wide as the widest; to the right as rich does it, without spaces after."""
    widest = max(map(cell_len, texts), default=0)
    if justify == "right":
        texts = [text.rstrip() for text in texts]
        return [" " * (widest - cell_len(text)) + text for text in texts]
    return [text + " " * (widest - cell_len(text)) for text in texts]


def cell(value: object) -> Text:
    """A value as it is: no markup, and no control character that could steer the reader's terminal."""
    text = str(value)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return Text(text)


def results_table(records: Sequence[Record]) -> str:
    """One row a record, and the notes beneath; on a narrow terminal the least needed columns are left out."""
    if not records:
        return ""
    rows = [_row(record) for record in records]
    columns = list(NUMERIC)
    while len(columns) > len(NUMERIC) - len(DISPENSABLE) and _text_width(columns, rows) > width():
        columns.remove(DISPENSABLE[len(NUMERIC) - len(columns)])
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if NUMERIC[name] else "left", no_wrap=NUMERIC[name])
    for row in rows:
        table.add_row(*(cell(row[name]) for name in columns))
    return "\n" + render(table, *map(cell, (*_hidden(columns), *_notes(records))))


def _hidden(columns: Sequence[str]) -> Iterable[str]:
    """What this terminal is too narrow for."""
    left_out = [name for name in NUMERIC if name not in columns]
    if left_out:
        yield ""
        yield f"Too narrow for {', '.join(left_out)}: use a wider terminal, or `show --json FILE`."


def _text_width(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> int:
    """Characters a line of the table takes, two between columns."""
    return sum(2 + max(len(name), *(len(row[name]) for row in rows)) for name in columns) - 2


def _row(record: Record) -> dict[str, str]:
    figures, case = record.figures, record.case
    dtype = SHORT_DTYPES.get(case.dtype, case.dtype)
    short = f"{case.model} {dtype} b{case.batch} {_size(case)}".rstrip()
    row = dict.fromkeys(NUMERIC, NOT_KNOWN) | {
        "case": " ".join(filter(None, [short, *ways(case.as_mapping() | case.options)])),
        "weights": case.weights.kind,
        "per": case.unit,
        "blocks": _blocks(record),
        "verdict": _verdict(record),
    }
    scope = figures.headline_scope
    if scope is None:
        return row
    energy, power = figures.energy_per_unit_j[scope], figures.power_w[scope].gross
    carbon = figures.carbon_per_unit_g.get(scope)
    return row | {
        "scope": scope if energy.kind == "measured" else f"{scope}, {energy.kind}",
        "J gross": with_interval(energy.gross),
        "95 %": percent(energy.gross),
        "J net": plain(energy.net.value if energy.net else None),
        "Wh": plain(energy.gross.value / J_PER_WH if energy.gross else None),
        "g CO2e": plain(carbon.gross.value if carbon and carbon.gross else None),
        "per s": plain(figures.units_per_second.value if figures.units_per_second else None),
        "W": plain(power.value if power else None),
    }


def _size(case: RecordedCase) -> str:
    """`1024x1024 50 st`, `340 tok` or `10 s`: what the joules of one item depend on most."""
    size = modalities.size_of(case.engine, case.options)
    return size.replace(" steps", " st").replace(" tokens", " tok")


def _blocks(record: Record) -> str:
    measured = [block for block in record.blocks if not block.warmup]
    valid = sum(block.valid for block in measured)
    return str(valid) if valid == len(measured) else f"{valid} of {len(measured)}"


def _verdict(record: Record) -> str:
    if record.status == "failed" and record.failure:
        return f"failed ({record.failure.stage})"
    if record.verdict == "inconclusive" and record.ended is not None:
        return f"{record.verdict} (wanted ±{record.ended.target * 100:.3g} %)"
    quick = record.ended is not None and record.ended.quick
    return f"{record.verdict}, quick" if quick else record.verdict


def _notes(records: Sequence[Record]) -> Iterable[str]:
    """What a reader must know, once each, in the order of importance."""
    yield ""
    for record in records:
        for reason in _one_of_each(record.reasons):
            yield f"{record.label}: {reason}"
        if record.failure and record.failure.remedy:
            yield f"  {record.failure.remedy}"
    if any(map(is_toy, records)):
        toys = ", ".join(dict.fromkeys(record.case.model for record in records if is_toy(record)))
        yield f"{toys}: {TOY}."
    if any(is_shape(record) and not is_toy(record) for record in records):
        yield (
            "random weights: the true architecture with random numbers. Joules hold for the shape; "
            "the output is meaningless."
        )
    if any(block.words_kind == "assumed" for record in records for block in record.blocks):
        ratios = {float(ratio) for record in records if (ratio := record.case.tokens_per_word)}
        stated = ", ".join(f"{ratio:g}" for ratio in sorted(ratios))
        yield f"Pages of random weights: an assumed {stated} tokens a word, 250 words a page."
    if estimated := _estimated(records):
        yield (
            f"estimated, scope {' and '.join(estimated)}: not all could be metered; CodeCarbon's model of "
            "CPU and memory stands in, and the interval says nothing of that model's own error."
        )
    carbon = next((record.carbon for record in records if record.carbon), None)
    if carbon and carbon.intensity_g_per_kwh is not None:
        year = f" {carbon.year}" if carbon.year else ""
        yield f"g CO2e: {carbon.country}{year}, {carbon.intensity_g_per_kwh:g} g/kWh ({carbon.source})."
    yield "J gross: mean over blocks ± half its 95 % t interval, same machine; J net: gross minus idle power."
    yield from _absolute(records)
    yield from _warm_up_cut_short(records)
    yield ""


def _estimated(records: Sequence[Record]) -> list[str]:
    """The scopes at which some record's figure is not all measured."""
    figures = [item for record in records for item in record.figures.energy_per_unit_j.items()]
    return sorted({scope for scope, figure in figures if figure.kind != "measured"})


def _warm_up_cut_short(records: Sequence[Record]) -> Iterable[str]:
    cut = [record for record in records if record.ended and record.ended.warmup_by == "max_seconds"]
    if cut:
        which = (
            "warm-up" if len(cut) == len(records) else f"warm-up of {', '.join(each.label for each in cut)}"
        )
        yield f"{which} ended by its time, before rounds agreed: the first blocks may still be warming up."


_BUDGET = "`python -m bench show --budget FILE`"


def _absolute(records: Sequence[Record]) -> Iterable[str]:
    """What the headlines of metered GPUs are worth against other machines; nothing where none was metered."""
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
            value = f"{digits(gross.absolute.value, 4)} J/{record.case.unit}"
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


def _one_of_each(reasons: Sequence[str]) -> list[str]:
    """The first reason of each rule: blocks that broke the same one differ only in its figures."""
    first: dict[str, str] = {}
    for reason in reasons:
        first.setdefault(reason.partition(":")[0], reason)
    return list(first.values())
