"""Output of `bench run --dry-run`: the cases, those to be skipped, and what all of it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import click

from bench.catalog.cases import Planned
from bench.core.words import counted
from bench.machine.card_pool import CardPool
from bench.machine.placement import Placement
from bench.measurement.case_plan import EarlierRecords, PairPlan
from bench.measurement.fitting import on_several_cards
from bench.measurement.forecast import forecast, forecast_side_by_side
from bench.measurement.side_by_side import cards_needed
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
    parallel: bool = False,
) -> None:
    """A line a case on standard output; the sum, and memory over several cards, as notes."""
    measured = earlier.measured
    left = {at: item for at, item in enumerate(cases) if at not in measured}
    pool = CardPool(placement)
    needed = {at: cards_needed(item, pool) for at, item in left.items()} if parallel else {}
    listed = len(cases) if every else min(SHOWN, len(cases))
    labels = planned_labels([item.case for item in cases])
    for at, item in enumerate(cases[:listed]):
        before = "  (measured already)" if at in measured else ""
        before = "  (interrupted, will be measured again)" if at in earlier.interrupted else before
        place = placement
        if (count := needed.get(at)) is not None:
            place = placement.of(placement.visible[:count])
            before += f"  (on {counted(count, 'card')} of {len(placement.visible)})"
        click.echo(f"{_line(item, labels[at])}{before}")
        if at in left and (memory := on_several_cards(item.case, place)) is not None:
            note(f"{labels[at]}: {memory}.")
    if listed < len(cases):
        note(f"The first {listed} of {len(cases):,} cases are listed; --yes lists all.")
    if measured:
        note(f"{len(measured):,} of {len(cases):,} cases were measured already and would be skipped.")
    if left and parallel:
        counts, cards = list(needed.values()), len(placement.visible)
        note(f"{forecast_side_by_side(list(left.values()), counts, cards).sentence}, side by side.")
    elif left:
        note(f"{forecast(list(left.values()), placement.device).sentence}.")
