"""Output of `bench run --dry-run`: the cases, those to be skipped, and what all of it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import click

from bench.catalog.cases import Planned
from bench.machine.placement import Placement
from bench.measurement.case_plan import EarlierRecords, PairPlan
from bench.measurement.fitting import on_several_cards
from bench.measurement.forecast import forecast
from bench.view.case_labels import planned_labels

SHOWN = 100
"""Cases that are listed without `--yes`."""


def show_pairs(plan: PairPlan) -> None:
    """The checkouts of each side, and the cases of each pair."""
    for side, checkout in plan.checkouts.items():
        click.echo(f"{side}: {checkout.title}")
    cases = [pair[0] for pair in plan.pairs] if plan.checkouts else [*chain.from_iterable(plan.pairs)]
    for item in cases:
        click.echo(_line(item, item.case.label))


def _line(item: Planned, label: str) -> str:
    return f"{item.case.as_mapping()['hash']}  {label}"


def show(
    cases: Sequence[Planned],
    earlier: EarlierRecords,
    placement: Placement,
    note: Callable[[str], None],
    *,
    every: bool,
) -> None:
    """A line a case on standard output; the sum, and memory over several cards, as notes."""
    measured = earlier.measured
    listed = len(cases) if every else min(SHOWN, len(cases))
    labels = planned_labels([item.case for item in cases])
    for at, item in enumerate(cases[:listed]):
        before = "  (measured already)" if at in measured else ""
        before = "  (interrupted, will be measured again)" if at in earlier.interrupted else before
        click.echo(f"{_line(item, labels[at])}{before}")
        if (memory := on_several_cards(item.case, placement)) is not None:
            note(f"{labels[at]}: {memory}.")
    if listed < len(cases):
        note(f"The first {listed} of {len(cases):,} cases are listed; --yes lists all.")
    left = [item for at, item in enumerate(cases) if at not in measured]
    if measured:
        note(f"{len(measured):,} of {len(cases):,} cases were measured already and would be skipped.")
    if left:
        note(f"{forecast(left).sentence}.")
