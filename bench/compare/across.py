"""Records of many machines side by side: a ranking for each case, and a matrix of cases by machines.

Cards differ by their own calibration error, so only the absolute uncertainty is used here, without
pass or fail. A machine at another driver or power limit has a column of its own; figures of another
scope or kind are on a board of their own, and are never ranked with others.

    found = across([records_below(results)], reference="h200")
    found.boards[0].standings[0].rank        # (1, 2): first or second, the intervals overlap
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.compare.cards_apart import cards_apart
from bench.compare.front import on_front
from bench.compare.machine_column import CardModel, MachineColumn, card_model, column_of
from bench.compare.record_set import RecordSet, StoredRecord
from bench.core.budget import Budget, Expanded
from bench.core.notebook import NotebookTable
from bench.core.record import Record
from bench.errors import UsageError
from bench.footprint.excluded_models import TOY, is_toy
from bench.stats import uncertainty
from bench.stats.budget.gum import Term, expansion
from bench.stats.figures import CONFIDENCE


@dataclass(frozen=True)
class Span:
    """A value with its 95 % interval; without one where an input of its budget is not known."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class RankedRow:
    """One machine's figure for a case. `rank` is from best to worst place that the intervals allow."""

    found: StoredRecord
    place: MachineColumn
    energy: Span
    time_s: float | None
    rank: tuple[int, int] | None = None
    ratio: Span | None = None
    """Over the reference machine."""
    front: bool = False
    """No other machine of this board takes both fewer joules and less time."""


@dataclass(frozen=True)
class Ranking:
    """All machines' figures for one case at one scope and kind, fewest joules first."""

    label: str
    unit: str
    like: tuple[str, str]
    standings: tuple[RankedRow, ...]


@dataclass(frozen=True)
class AcrossMachines(NotebookTable):
    """All boards, and the records that are on none, with the reason."""

    boards: tuple[Ranking, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    reference_machine: MachineColumn | None = None
    """`None` also where the reference is the model of several machines' cards."""
    reference_model: CardModel | None = None


def across(sources: Iterable[RecordSet], reference: str | None = None) -> AcrossMachines:
    """Boards of everything found. Raises UsageError where `reference` names neither a machine nor a model."""
    sources = list(sources)
    records = list({each.digest: each for source in sources for each in source.found}.values())
    left_out = [f"{each.where}: {why}" for each in records if (why := _why_not(each.record))]
    standing = _named_apart(_newest([_standing(each) for each in records if _why_not(each.record) is None]))
    wanted, model = _reference(reference, standing)
    groups: dict[tuple[str, tuple[str, str]], list[RankedRow]] = {}
    for one in standing:
        groups.setdefault((one.found.record.case.hash, one.place.like), []).append(one)
    boards = [_board(group, wanted) for group in groups.values()]
    return AcrossMachines(
        boards=tuple(sorted(boards, key=lambda board: (board.unit, board.label, board.like))),
        left_out=tuple(left_out),
        notes=tuple(note for source in sources for note in source.notes),
        problems=tuple(problem for source in sources for problem in source.problems),
        reference_machine=wanted,
        reference_model=model,
    )


def _why_not(record: Record) -> str | None:
    """Reason for a record to be on no board; `None` if it is on one."""
    if record.status != "ok":
        return record.why
    if is_toy(record):
        return TOY
    headline, absolute = record.headline(), _absolute(record)
    if headline is None or headline.value <= 0 or (absolute is not None and absolute.value <= 0):
        return "it has no headline figure above 0 J"
    return None


def budget_of(record: Record) -> Budget | None:
    """The budget of a record's gross headline."""
    return (record.figures.uncertainty or uncertainty.of(record)).gross


def _absolute(record: Record) -> Expanded | None:
    budget = budget_of(record)
    return budget.absolute if budget else None


def _standing(stored: StoredRecord) -> RankedRow:
    record = stored.record
    headline, absolute = record.headline(), _absolute(record)
    assert headline is not None, "records without a headline are left out before"
    energy = Span(headline.value)
    if absolute is not None:
        energy = Span(absolute.value, absolute.low, absolute.high)
    time_s = record.figures.time_per_unit_s
    return RankedRow(stored, column_of(record), energy, time_s.value if time_s else None)


def _newest(standings: Iterable[RankedRow]) -> list[RankedRow]:
    """One a case and column."""
    newest: dict[tuple[str, MachineColumn], RankedRow] = {}
    for one in sorted(standings, key=lambda one: (one.found.record.created, one.found.where)):
        newest[(one.found.record.case.hash, one.place)] = one
    return list(newest.values())


def _named_apart(standings: Sequence[RankedRow]) -> list[RankedRow]:
    """Rows that name their cards, where several cards of one machine were measured."""
    cards = cards_apart([None] * len(standings), [one.found.record for one in standings])
    return [
        replace(one, place=replace(one.place, cards=name)) if name else one
        for one, name in zip(standings, cards, strict=True)
    ]


def _board(group: Sequence[RankedRow], reference: MachineColumn | None) -> Ranking:
    base = next((one for one in group if one.place == reference), None)
    ordered = sorted(group, key=lambda one: (one.energy.value, one.place))
    record = ordered[0].found.record
    spans = [one.energy for one in ordered]
    return Ranking(
        label=record.label,
        unit=record.case.unit,
        like=ordered[0].place.like,
        standings=tuple(
            replace(
                one,
                rank=rank_among(one.energy, spans),
                ratio=_ratio(one, base),
                front=_on_front(one, ordered),
            )
            for one in ordered
        ),
    )


def rank_among(one: Span, spans: Sequence[Span]) -> tuple[int, int] | None:
    """Best and worst place: others surely below come before, others not surely above may."""
    bounded = [other for other in spans if other.low is not None and other is not one]
    if one.low is None or one.high is None:
        return None
    surely_before = sum(other.high < one.low for other in bounded if other.high is not None)
    surely_after = sum(other.low > one.high for other in bounded if other.low is not None)
    return 1 + surely_before, 1 + len(bounded) - surely_after


def _ratio(one: RankedRow, base: RankedRow | None) -> Span | None:
    """Joules over the reference's; the errors of two machines add as squares, on logarithms."""
    if base is None:
        return None
    value = one.energy.value / base.energy.value
    if one is base:
        return Span(1.0)
    absolutes = [_absolute(each.found.record) for each in (one, base)]
    terms = [
        Term(each.standard_uncertainty_j / each.value, math.inf if each.dof is None else each.dof)
        for each in absolutes
        if each is not None and each.value > 0
    ]
    if len(terms) < 2:
        return Span(value)
    combined, factor = expansion(terms, CONFIDENCE)
    half = factor * combined.standard
    return Span(value, value * math.exp(-half), value * math.exp(half))


def _on_front(one: RankedRow, group: Sequence[RankedRow]) -> bool:
    if one.time_s is None:
        return False
    timed = ((other.energy.value, other.time_s) for other in group if other.time_s is not None)
    return on_front((one.energy.value, one.time_s), timed)


def _reference(
    text: str | None, standings: Sequence[RankedRow]
) -> tuple[MachineColumn | None, CardModel | None]:
    """The one column whose machine's name, driver or limit contains all the words, and its cards' model.

    Of several columns with cards of one model, that model alone.
    """
    if text is None:
        return None, None
    models = {one.place: card_model(one.found.record) for one in standings}

    def described(each: MachineColumn) -> str:
        named = f"{each.named} {models[each].name} {each.card} {each.driver} {each.limits}"
        return f"{named} {each.scope} {each.kind}".lower()

    fitting = [
        each for each in sorted(models) if all(word in described(each) for word in text.lower().split())
    ]
    of_these = {models[each] for each in fitting}
    if len(fitting) == 1:
        return fitting[0], models[fitting[0]]
    if len(of_these) == 1 and len({each.card for each in fitting}) == len(fitting):
        return None, of_these.pop()
    listed = "; ".join(f"{each.named}, {each.driver}, {each.limits}" for each in sorted(models))
    raise UsageError(
        f'--reference "{text}" fits {len(fitting)} machines of {len(of_these)} card models, not one.',
        f"There are: {listed or 'none'}.",
    )
