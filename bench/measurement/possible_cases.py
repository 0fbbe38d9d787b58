"""Cases that their models and this machine can do, found before anything is loaded.

    chosen = possible(planned, placement, note, catalogue)
    chosen.cases            # what is left
    chosen.refused          # how many have an option that their model cannot do

A case that was named by itself must be possible. One of a suite or a sweep is left out with a note: for a
wrong option the run ends with the status of wrong use then, for memory that this machine lacks it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.catalog.cases import Case, Planned
from bench.catalog.models import Catalogue
from bench.engines import limits
from bench.errors import BenchError, EngineError, PrerequisiteError, UsageError
from bench.machine.expected_gpus import why_elsewhere
from bench.machine.placement import Placement
from bench.measurement.fitting import cards_of_case, why_not
from bench.measurement.listing import why_not_by_default
from bench.worker import producers
from bench.worker.engine_spec import engine_spec

SEE = "`python -m bench list` shows what fits."
NOTED = 5
"""Cases that are left out with a sentence each; of more, the number."""


class PossibleCases(NamedTuple):
    """The cases that are left, and the number of those with an option that their model cannot do."""

    cases: list[Planned]
    refused: int


def possible(
    planned: Sequence[Planned],
    placement: Placement,
    note: Callable[[str], None],
    catalogue: Catalogue,
    times: int = 1,
    *,
    cards: Sequence[str] = (),
) -> PossibleCases:
    """The cases that can be done, loaded `times` times at once, on a machine with cards of these names.

    Raises UsageError or PrerequisiteError where one that was named by itself cannot, or none is left.
    """
    kept, refused, left_out = [], 0, list[str]()
    first: BenchError | None = None
    for item in planned:
        error = _elsewhere(item, cards) or _error(item.case, catalogue, placement, times)
        if error is None:
            kept.append(item)
            continue
        if item.case.suite is None and item.sweep is None:
            raise error
        first = first or error
        refused += isinstance(error, UsageError)
        left_out.append(f"Left out: {error}")
    for sentence in left_out[:NOTED]:
        note(sentence)
    if len(left_out) > NOTED:
        note(f"Left out: {len(left_out) - NOTED:,} more cases for reasons of this kind.")
    if not kept:
        raise first if first is not None and refused else _none_fits()
    return PossibleCases(kept, refused)


def why_impossible(case: Case, placement: Placement) -> str | None:
    """Reason why a case cannot be made here, by its options or for memory; `None` if it can."""
    try:
        check_options(case, placement)
    except UsageError as error:
        return error.message
    reason = why_not(case, placement)
    return None if reason is None else f"it {reason}"


def check_options(case: Case, placement: Placement) -> None:
    """Raise UsageError for an option that the case's model cannot do; nothing is loaded for that."""
    here = producers.of(case.workload).LOADS_HERE
    if case.replicas > 1 and not (here and all(part.endpoint is None for part in case.parts.values())):
        raise UsageError(
            f"{case.name} is asked at a server, whose replicas are its own.", "Leave out --replicas."
        )
    if not here:
        return
    place = cards_of_case(case, placement).shares(case.replicas)[0]
    try:
        limits.check(engine_spec(case, place, frozenset()), case.model.architecture)
    except EngineError as error:
        raise UsageError(f"{case.label} cannot be made: {error.message}", error.remedy) from error


def _none_fits() -> PrerequisiteError:
    return PrerequisiteError("None of the chosen cases fits this machine.", SEE)


def _elsewhere(item: Planned, cards: Sequence[str]) -> PrerequisiteError | None:
    reason = why_elsewhere(item.place, cards)
    return None if reason is None else PrerequisiteError(f"{item.case.label}: {reason}.", "Run it there.")


def _error(case: Case, catalogue: Catalogue, placement: Placement, times: int) -> BenchError | None:
    """Why a case cannot be done: UsageError for its options, PrerequisiteError for its memory."""
    try:
        check_options(case, placement)
    except UsageError as error:
        return error
    reason = why_not(case, placement, times)
    if reason is None:
        return None
    way_out = _way_out(case, catalogue, placement, times)
    return PrerequisiteError(f"{case.label} does not fit: it {reason}.", way_out)


def _way_out(case: Case, catalogue: Catalogue, placement: Placement, times: int) -> str:
    """A batch that fits, the case as the catalogue has it, or the list, which then shows why it cannot."""
    batch = case.batch
    while batch > 1:
        batch //= 2
        if why_not(case.with_batch(batch), placement, times) is None:
            return f"Use --batch {batch}."
    if times == 1 and why_not_by_default(catalogue, case.name, placement) is None:
        return f"{case.name} fits as models.yaml has it: leave out the options that differ."
    return SEE
