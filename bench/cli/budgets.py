"""The uncertainty of a record's headline as tables: what `show --budget` prints."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.cli.tables import cell
from bench.records.budget_schema import Autocorrelation, Budget, BudgetInput, Expanded, Uncertainty
from bench.records.schema import Record
from bench.report.numbers import NOT_KNOWN, digits, plain

RESULTS = (("same_card", "same card, like power"), ("absolute", "absolute"))
WIDTH = 100
"""What lies beneath a table is broken here, so that the whole reads on a hundred columns."""

LEGEND = (
    "u: standard uncertainty of the input. c: sensitivity, joules per unit of output for each of the input's "
    "unit. |c|u: its share of the figure. dof: degrees of freedom. in: the results it enters, s same card, "
    "a absolute. *: assumed, not observed or specified. k: coverage factor."
)


def sections(record: Record, found: Uncertainty) -> Iterable[Any]:
    """Everything `show --budget` prints of a record, gross and then net."""
    unit = str(record.case["unit"])
    for which in ("gross", "net"):
        budget: Budget | None = getattr(found, which)
        if budget is None:
            yield cell(f"No budget for {which} J per {unit}: {found.absent.get(which, 'not known')}.")
            continue
        yield Text("")
        title = f"{which.capitalize()} J per {unit}, scope {found.scope}: {plain(budget.value, 4)}"
        yield Text(cell(title).plain, style="bold")
        yield _inputs(budget, unit)
        yield Text("")
        yield _results(budget, unit)
        if budget.correction_j is not None:
            yield cell(_corrected(budget, unit))
        for key, name in RESULTS:
            if key in budget.absent:
                yield cell(f"No result for {name}: {budget.absent[key]}.")
        yield cell(_lag1(budget.lag1))
    kept = [budget for budget in (found.gross, found.net) if budget is not None]
    if kept:
        yield Text("")
        yield from _sources(kept)
        yield Text("")
        yield from map(Text, textwrap.wrap(LEGEND, WIDTH))


def _inputs(budget: Budget, unit: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in (
        "input",
        "type",
        "distribution",
        "u",
        "c",
        f"|c|u, J/{cell(unit).plain[:16]}",
        "%",
        "dof",
        "in",
    ):
        left = name in ("input", "type", "distribution", "in")
        table.add_column(name, justify="left" if left else "right", no_wrap=name != "input", overflow="fold")
    for line in budget.inputs:
        known = line.contribution_j is not None
        entered = "".join(result[0] for result, _ in RESULTS if result in line.enters)
        values = (
            f"{line.name}{' *' if line.assumed else ''}",
            line.type,
            line.distribution,
            _with_unit(line.standard_uncertainty, line.unit),
            plain(line.sensitivity),
            plain(line.contribution_j),
            NOT_KNOWN if line.relative is None else f"{line.relative:.2%}".removesuffix("%"),
            _dof(line.dof) if known else NOT_KNOWN,
            entered or NOT_KNOWN,
        )
        table.add_row(*map(cell, values))
    return table


def _with_unit(value: float | None, unit: str) -> str:
    """`0.289 tick`, `2.89 %` for a relative one, or a dash."""
    if value is None:
        return NOT_KNOWN
    return f"{digits(value * 100)} %" if unit == "1" else f"{digits(value)} {unit}"


def _results(budget: Budget, unit: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for number, name in enumerate(("95 %", f"J/{cell(unit).plain[:16]}", "from", "to", "±", "k", "dof")):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for key, name in RESULTS:
        found: Expanded | None = getattr(budget, key)
        if found is None:
            table.add_row(cell(name), *[cell(NOT_KNOWN)] * 6)
            continue
        values = (
            name,
            plain(found.value, 4),
            plain(found.low, 4),
            plain(found.high, 4),
            share(found) or NOT_KNOWN,
            digits(found.coverage_factor),
            _dof(found.dof),
        )
        table.add_row(*map(cell, values))
    return table


def _corrected(budget: Budget, unit: str) -> str:
    """Why `absolute` is about another value than the figure."""
    assert budget.correction_j is not None
    shift = f"{budget.correction_j / budget.value:+.2%}, " if budget.value else ""
    return (
        f"corrected in absolute alone: {shift}{budget.correction_j:+.3g} J per {unit}, because the card was "
        "calibrated"
    )


def share(found: Expanded) -> str | None:
    """`±6.3 %`, or `None` for a figure of zero."""
    relative = found.relative_half_width
    return None if relative is None else f"±{digits(relative * 100, 2)} %"


def _dof(dof: float | None) -> str:
    """Degrees of freedom, rounded down; `∞` where they are without number or so many that it is the same."""
    return "∞" if dof is None or dof >= 1e4 else str(math.floor(dof * 10) / 10).removesuffix(".0")


def _lag1(found: Autocorrelation) -> str:
    if found.value is None:
        return f"lag-1 autocorrelation: {NOT_KNOWN} ({found.reason})"
    used = found.reason or f"run to run is widened by {found.widened_by:.2f}"
    limit = "" if found.limit is None else f", limit ±{found.limit:.2f}"
    return f"lag-1 autocorrelation of {found.n} blocks: {found.value:+.2f}{limit} ({used})"


def _sources(budgets: Sequence[Budget]) -> Iterable[Text]:
    """Where each number comes from, once where gross and net have it in common."""
    texts = [_source(line) for budget in budgets for line in budget.inputs]
    for text in dict.fromkeys(texts):
        yield from _broken(text)


def _source(line: BudgetInput) -> str:
    text = f"{line.name}: {line.source}."
    return f"{text} Not in the results: {line.reason}." if line.reason and not line.enters else text


def _broken(text: str) -> Iterable[Text]:
    """A text in lines of at most `WIDTH`, set in, the later ones further."""
    lines = textwrap.wrap(cell(text).plain, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [Text(line) for line in lines]
