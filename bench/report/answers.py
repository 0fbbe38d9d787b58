"""The first section: what one page and one image take, in a sentence each.

Cases that differ in scope, kind of figure or weights are never put into one sentence: they count different
things.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.analysis.sources import Found
from bench.footprint.measured import Row
from bench.footprint.quantities import Quantity
from bench.report.content import Section, clean
from bench.report.gather import Gathered
from bench.report.numbers import digits

WEIGHTS = {"hub": "published weights", "path": "weights from a folder", "random": "random weights"}


def section(gathered: Gathered) -> Section:
    """One sentence a unit, scope, kind of figure and weights."""
    return Section("answer", "The answer", tuple(_sentences(gathered)), notes=gathered.problems)


def amount(found: Quantity) -> str:
    """`412 J (390 to 434)`; without the brackets where no range is known."""
    if found.range.is_point:
        return f"{digits(found.value)} {found.unit}"
    return f"{digits(found.value)} {found.unit} ({digits(found.low)} to {digits(found.high)})"


def _sentences(gathered: Gathered) -> Iterator[str]:
    if not gathered.found:
        yield "There are no records: nothing has been measured yet. `python -m bench run` measures."
        return
    if not gathered.headlines:
        count = len(gathered.found)
        yield (
            f"No valid figure: of {count} record{'s' * (count > 1)} found, none holds joules that count. "
            "The cases below say why."
        )
        return
    groups: dict[tuple[str, str, str, str], list[tuple[Found, Row]]] = {}
    for found, row in gathered.headlines:
        groups.setdefault((row.unit, row.scope, row.kind, row.weights), []).append((found, row))
    for key in sorted(groups):
        yield _sentence(groups[key], gathered)


def _sentence(group: Sequence[tuple[Found, Row]], gathered: Gathered) -> str:
    rows = sorted((row for _, row in group), key=lambda row: row.joules.value)
    least, most = rows[0], rows[-1]
    what = f"scope {least.scope}, {least.kind}, {WEIGHTS.get(least.weights, least.weights)}"
    if least is most:
        return f"One {least.unit} takes {_of(least, gathered)} ({what})."
    return (
        f"One {least.unit} takes from {_of(least, gathered)} to {_of(most, gathered)}: "
        f"{len(rows)} cases ({what})."
    )


def _of(row: Row, gathered: Gathered) -> str:
    settings = gathered.settings
    grams = row.carbon(settings.grid, settings.pue).result
    return (
        f"{amount(row.joules)}, {digits(grams.value)} {grams.unit}, with {clean(row.record.label)} "
        f"[{row.interval}; {clean(row.conditions)}]"
    )
