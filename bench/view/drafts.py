"""Tables of drafts until accepted: share, attempts, joules per accepted item, rejections by check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.core.quantities import Range
from bench.footprint.drafts.accepted import AcceptedDrafts
from bench.footprint.drafts.ratings import SheetRatings
from bench.view.content import Cell, Section, columns, table
from bench.view.spans import value_and_ends


def sections(accounts: Sequence[AcceptedDrafts]) -> Iterator[Section]:
    """One section a record."""
    for account in accounts:
        rows = [(name, *cells) for name, *cells in _rows(account)]
        heads = columns("figure", "#value", "95 % interval")
        notes = [*account.notes, *_about(account)]
        yield Section(account.label, (table(heads, rows), *_rejections(account), *notes))


def _rows(account: AcceptedDrafts) -> Iterator[tuple[Cell, ...]]:
    share = Range(100 * account.share, 100 * account.share_low, 100 * account.share_high)
    yield f"accepted, % of {account.tried} distinct drafts", *value_and_ends(share)
    yield "attempts per accepted item", *value_and_ends(account.attempts)
    named = (
        ("J per draft", account.j_per_draft),
        ("J of the judge per draft", account.judge_j_per_draft),
        ("J per accepted item", account.j_per_accepted_item),
        (f"J per accepted {account.unit}", account.j_per_accepted_unit),
    )
    for name, found in named:
        if found is not None or name == "J per accepted item":
            yield f"{name}, {account.scope}" if account.scope else name, *value_and_ends(found)


def _rejections(account: AcceptedDrafts) -> Iterator[str]:
    for check, count in account.rejected_by.items():
        yield f"rejected by {check}: {count} of {account.tried}"


def _about(account: AcceptedDrafts) -> Iterator[str]:
    if account.tried < account.drafts:
        yield f"{account.drafts} outputs were kept; equal ones are one trial."
    yield "Interval: Clopper and Pearson's for the share, and that of the blocks for joules."


def agreement(ratings: SheetRatings) -> str:
    """How many people rated, and how far they agreed."""
    agreed = (
        "no item was rated twice"
        if ratings.agreement is None
        else f"{ratings.agreement:.0%} of pairs of ratings agree"
    )
    people = "1 rater" if ratings.raters == 1 else f"{ratings.raters} raters"
    return f"{people}; {agreed}; {ratings.unrated} items without a majority."
