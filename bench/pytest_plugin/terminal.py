"""The section `energy` at the end of a session: one line per test, notes, the gate."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.core.secrets import masked
from bench.pytest_plugin.figures import MeasuredTest
from bench.stats.constant_power import follows_time
from bench.view.content import Cell, columns, table
from bench.view.numbers import NOT_KNOWN
from bench.view.spans import ends, value_text
from bench.view.terminal import Room, lines

if TYPE_CHECKING:
    import pytest

    from bench.pytest_plugin.session import EnergySession

COLUMNS = columns("test", "#J/unit", "#95 %", "#n", "#J", "#s", "#W", "scope", "verdict")
BUDGETS = {"pass": "within budget", "fail": "above budget", "unclear": "budget unclear"}


def show(session: EnergySession, terminal: pytest.TerminalReporter) -> None:
    """Write the section."""
    terminal.section("energy (joulebench)", sep="-")
    if session.measured:
        rows = table(COLUMNS, (_row(each, session) for each in session.measured))
        for line in lines([rows], Room.of(sys.stdout)._replace(styled=False)):
            terminal.write_line(line)
    for note in _notes(session):
        terminal.write_line(masked(note))
    for judgement in session.judgements:
        terminal.write_line(f"{judgement.outcome}: {judgement.sentence}", red=judgement.outcome == "fail")
    for sentence in session.told:
        terminal.write_line(masked(sentence))


def _row(measured: MeasuredTest, session: EnergySession) -> tuple[Cell, ...]:
    result, found = measured.result, measured.result.energy_per_unit_j
    return (
        measured.test,
        f"{value_text(found)} J/{result.unit}" if found else None,
        ends(found),
        found.n if found else 0,
        measured.round_j,
        measured.round_s,
        measured.power_w,
        f"{result.scope or NOT_KNOWN}, {result.kind or 'no reading'}",
        ", ".join(_verdicts(measured, session)),
    )


def _verdicts(measured: MeasuredTest, session: EnergySession) -> Iterator[str]:
    """Outcome of the comparison, else validity of the windows; then the budget."""
    compared = session.compared.comparisons if session.compared else ()
    verdict = next((each.verdict for each in compared if each.b.record.label == measured.test), None)
    yield verdict or ("valid" if measured.result.valid else "invalid")
    if measured.budget:
        yield BUDGETS[measured.budget]


def _notes(session: EnergySession) -> Iterator[str]:
    if session.measured:
        yield "J, s: middle round; J/unit, W: mean of the rounds; J gross; 95 %: t interval of the mean."
    if any(each.result.kind in ("estimated", "mixed") for each in session.measured):
        yield (
            "estimated: CodeCarbon's model of processor and memory, for want of a meter; "
            "the interval does not include that model's own error."
        )
    if time_only := follows_time(*(each.result for each in session.measured)):
        yield time_only
    for each in session.measured:
        for reason in each.result.reasons:
            yield f"{each.test}: {reason}"
    for test, reason in session.not_measured.items():
        yield f"{test}: not measured: {reason}"
    if session.compared:
        yield from _differences(session)


def _differences(session: EnergySession) -> Iterator[str]:
    """Notes of the comparison beside verdicts."""
    compared = session.compared
    assert compared is not None, "asked only where there is one"
    yield f"compared with {compared.a.label}"
    for comparison in compared.comparisons:
        row = comparison.row("energy")
        if row and row.ratio and row.ratio.low and row.ratio.high:
            low, high = row.ratio.low - 1, row.ratio.high - 1
            yield f"{comparison.label}: {row.ratio.value - 1:+.1%} ({low:+.1%} to {high:+.1%}), {row.verdict}"
        for difference in comparison.differences:
            yield f"{comparison.label}: not comparable: {difference.sentence}"
    for found, where in [(found, "only in the saved session") for found in compared.only_a] + [
        (found, "not in the saved session") for found in compared.only_b
    ]:
        yield f"{found.record.label}: {where}"
