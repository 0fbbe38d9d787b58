"""Output of `bench run --dry-run`: the cases, those to be skipped, and what all of it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import click

from bench.catalog.cases import Planned
from bench.machine.placement import Placement, listed
from bench.measurement.case_plan import EarlierRecords, PairPlan
from bench.measurement.fitting import on_several_cards
from bench.measurement.forecast import forecast, forecast_side_by_side
from bench.measurement.planned_cards import PlannedCards, planned_cards
from bench.view.case_labels import planned_labels

SHOWN = 100
"""Cases that are listed without `--yes`."""


def show_pairs(plan: PairPlan, placement: Placement, note: Callable[[str], None]) -> None:
    """The checkouts of each side, and the cases of each pair; the cards of both sides, as a note."""
    for side, checkout in plan.checkouts.items():
        click.echo(f"{side}: {checkout.title}")
    cases = [pair[0] for pair in plan.pairs] if plan.checkouts else [*chain.from_iterable(plan.pairs)]
    for item in cases:
        click.echo(_line(item, item.case.label))
    on = {cards.cards for cards in planned_cards(cases, placement) if cards.cards}
    for cards in on:
        note(f"Cards: {listed(cards)}.")


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
    on = dict(zip(left, planned_cards(list(left.values()), placement, parallel=parallel), strict=True))
    named_once = len({found.cards for found in on.values()}) == 1 and not parallel
    shown = len(cases) if every else min(SHOWN, len(cases))
    labels = planned_labels([item.case for item in cases])
    for at, item in enumerate(cases[:shown]):
        before = "  (measured already)" if at in measured else ""
        before = "  (interrupted, will be measured again)" if at in earlier.interrupted else before
        cards = on.get(at)
        if cards is not None and cards.cards and not named_once:
            before += f"  ({_where(cards)})"
        click.echo(f"{_line(item, labels[at])}{before}")
        if cards is not None and cards.cards and placement.device != "cpu":
            memory = on_several_cards(item.case, placement.of(cards.cards[: cards.number]))
            if memory is not None:
                note(f"{labels[at]}: {memory}.")
    if shown < len(cases):
        note(f"The first {shown} of {len(cases):,} cases are listed; --yes lists all.")
    if measured:
        note(f"{len(measured):,} of {len(cases):,} cases were measured already and would be skipped.")
    if named_once and (cards := next(iter(on.values()))).cards:
        note(f"Cards: {listed(cards.cards)}.")
    if left and parallel:
        counts = [found.number for found in on.values()]
        total = len(placement.visible)
        note(f"{forecast_side_by_side(list(left.values()), counts, total).sentence}, side by side.")
    elif left:
        note(f"{forecast(list(left.values()), placement.device).sentence}.")


def _where(planned: PlannedCards) -> str:
    """`on GPU 0, 1: NVIDIA H200`; `on the first free card of GPU 0, 1, 2, 3: NVIDIA H200`."""
    named = listed(planned.cards)
    if planned.number == len(planned.cards):
        return f"on {named}"
    free = "free card" if planned.number == 1 else f"{planned.number} free cards"
    return f"on the first {free} of {named}"
