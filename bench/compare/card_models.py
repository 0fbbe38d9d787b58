"""Machines of a ranking by the model of their cards, with the spread between like cards.

    for group in card_models(board):
        group.model.name, len(group.rows), group.spread       # "NVIDIA H200", 5, BetweenCards(...)

Cards are alike where their names, their number in a machine, and their power limits are. The spread is of
joules as the cards' sensors read them, so their gain errors are in it; a card that was measured in several
states (another driver) counts once, by its newest record.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from bench.compare.across import RankedRow, Ranking, Span, budget_of, rank_among
from bench.compare.front import on_front
from bench.compare.machine_column import CardModel, card_model
from bench.core.budget import Budget
from bench.stats.between_cards import FEWEST_CARDS, BetweenCards, between_cards
from bench.stats.budget import gum
from bench.stats.figures import CONFIDENCE

ONE_CARD = "one card"
LESS_THAN_BLOCKS = "cards differ less than their blocks"


@dataclass(frozen=True)
class LikeCards:
    """Machines with cards of one model in a ranking. `energy` is the mean over cards, geometric.

    Its interval is absolute: what like cards share, such as an unknown gain, is not reduced by their number.
    """

    model: CardModel
    rows: tuple[RankedRow, ...]
    """One a card, fewest joules first."""
    energy: Span
    time_s: float | None
    spread: BetweenCards | None
    reason: str | None = None
    """Reason for an absent spread."""
    rank: tuple[int, int] | None = None
    ratio: Span | None = None
    """Over the reference's model."""
    front: bool = False


def card_models(board: Ranking, reference: CardModel | None = None) -> tuple[LikeCards, ...]:
    """The groups of a ranking, fewest joules first."""
    groups: dict[CardModel, list[RankedRow]] = defaultdict(list)
    for row in board.standings:
        groups[card_model(row.found.record)].append(row)
    made = sorted(
        (_group(model, _one_a_card(rows)) for model, rows in groups.items()),
        key=lambda each: (each.energy.value, each.model),
    )
    spans = [each.energy for each in made]
    timed = [(each.energy.value, each.time_s) for each in made if each.time_s is not None]
    base = next((each for each in made if each.model == reference), None)
    return tuple(
        replace(
            each,
            rank=rank_among(each.energy, spans),
            front=each.time_s is not None and on_front((each.energy.value, each.time_s), timed),
            ratio=_ratio(each, base),
        )
        for each in made
    )


def _one_a_card(rows: Sequence[RankedRow]) -> tuple[RankedRow, ...]:
    newest = {row.place.card: row for row in sorted(rows, key=lambda row: row.found.record.created)}
    return tuple(row for row in rows if newest[row.place.card] is row)


def _group(model: CardModel, rows: tuple[RankedRow, ...]) -> LikeCards:
    times = [row.time_s for row in rows if row.time_s is not None]
    spread, reason = _spread(rows)
    return LikeCards(
        model=model,
        rows=rows,
        energy=_mean(rows),
        time_s=fmean(times) if len(times) == len(rows) else None,
        spread=spread,
        reason=reason,
    )


def _spread(rows: Sequence[RankedRow]) -> tuple[BetweenCards | None, str | None]:
    """The spread, or the reason for its absence; a card without an uncertainty of its own is left out."""
    if len(rows) < FEWEST_CARDS:
        return None, ONE_CARD
    budgets = [budget_of(row.found.record) for row in rows]
    known = [(budget.value, own) for budget in budgets if budget and (own := _own(budget))]
    if len(known) < FEWEST_CARDS:
        return None, f"{len(known)} of {len(rows)} cards have a spread of blocks"
    spread = between_cards(
        [value for value, _ in known],
        [own.standard for _, own in known],
        [own.dof for _, own in known],
    )
    return (spread, None) if spread.high > 0 else (None, LESS_THAN_BLOCKS)


def _own(budget: Budget) -> gum.CombinedUncertainty | None:
    """Uncertainty of one card's joules by its own blocks.

    Inputs of type B, such as the lag of a counter, are errors that like cards share: subtracted, they would
    take a true spread for an error of measurement.
    """
    inputs = [each for each in budget.inputs if each.type == "A" and "same_card" in each.enters]
    terms = [
        gum.Term(each.contribution_j, math.inf if each.dof is None else each.dof)
        for each in inputs
        if each.contribution_j is not None
    ]
    return gum.combine(terms) if terms and len(terms) == len(inputs) else None


def _mean(rows: Sequence[RankedRow]) -> Span:
    """Geometric mean; of one card its own absolute interval, without one where a card has none."""
    if len(rows) == 1:
        return rows[0].energy
    return _expanded(math.exp(fmean(math.log(row.energy.value) for row in rows)), _terms(rows))


def _expanded(value: float, terms: Sequence[gum.Term] | None) -> Span:
    if terms is None:
        return Span(value)
    combined, factor = gum.expansion(terms, CONFIDENCE)
    half = factor * combined.standard
    return Span(value, value * math.exp(-half), value * math.exp(half))


def _terms(rows: Sequence[RankedRow]) -> list[gum.Term] | None:
    """Relative terms of a mean: what differs from card to card over √n, and what like cards may share.

    Of one card its absolute uncertainty; `None` where a card has none.
    """
    budgets = [budget_of(row.found.record) for row in rows]
    known = [(b.same_card, b.absolute) for b in budgets if b and b.same_card and b.absolute]
    if len(known) < len(rows):
        return None
    same = [own.standard_uncertainty_j / own.value for own, _ in known]
    whole = [absolute.standard_uncertainty_j / absolute.value for _, absolute in known]
    dof = min(math.inf if absolute.dof is None else absolute.dof for _, absolute in known)
    if len(rows) == 1:
        return [gum.Term(whole[0], dof)]
    observed = gum.stdev([math.log(row.energy.value) for row in rows])
    differing = max(observed, _rms(same))
    shared = math.sqrt(max(0.0, _rms(whole) ** 2 - _rms(same) ** 2))
    return [gum.Term(differing / math.sqrt(len(rows)), len(rows) - 1), gum.Term(shared, dof)]


def _rms(values: Sequence[float]) -> float:
    return math.sqrt(fmean(value**2 for value in values))


def _ratio(one: LikeCards, base: LikeCards | None) -> Span | None:
    if base is None:
        return None
    if one is base:
        return Span(1.0)
    own, others = _terms(one.rows), _terms(base.rows)
    both = None if own is None or others is None else [*own, *others]
    return _expanded(one.energy.value / base.energy.value, both)
