"""A package's records, what their samples give, and whether each is fit to be published."""

from __future__ import annotations

from collections.abc import Sequence

from bench.compare.cards_apart import cards_apart
from bench.core.words import counted
from bench.fleet import publication
from bench.fleet.opening import OpenedPackage
from bench.fleet.package_check import CheckedRecord
from bench.view.content import Cell, Column, Section, Written, table

COLUMNS = (
    Column("case"),
    Column("machine"),
    Column("status"),
    Column("J a unit", numeric=True, digits=6),
    Column("from its samples", numeric=True, digits=6),
    Column("agrees"),
    Column("publication"),
)


def package_section(package: OpenedPackage, checked: Sequence[CheckedRecord]) -> Section:
    """The table of a package, and how it was signed."""
    sound = sum(not each.problems for each in checked)
    fit = sum(each.publication_valid for each in checked)
    signed = "not signed" if package.signed_by is None else f"signed by the ed25519 key {package.signed_by}"
    summary = (
        f"{counted(len(checked), 'record')} of {counted(len(package.manifest.nodes), 'machine')}, {signed}: "
        f"{sound} as their files and samples say, {fit} fit to be published."
    )
    codes = {code for each in checked for code in each.entry.publication_reasons}
    notes = tuple(f"{code}: {why}." for code, why in publication.CODES.items() if code in codes)
    read = {at: each.record for at, each in enumerate(checked) if each.record is not None}
    labels = [checked[at].entry.label for at in read]
    cards = dict(zip(read, cards_apart(labels, list(read.values())), strict=True))
    rows = [_row(each, cards.get(at, "")) for at, each in enumerate(checked)]
    return Section("Package", (summary, table(COLUMNS, rows)), notes)


def _row(checked: CheckedRecord, cards: str) -> tuple[Cell, ...]:
    entry, derived = checked.entry, checked.derived
    anew = derived is not None and derived.windows > 0
    from_samples = derived.value if derived is not None and anew else None
    if checked.problems:
        agrees = Written("no", tone="bad")
    elif anew:
        agrees = Written("yes", tone="good")
    else:
        agrees = Written("not shown: no samples" if derived is None else "within their bounds", tone="quiet")
    publication_cell = (
        "fit" if checked.publication_valid else ", ".join(entry.publication_reasons) or "not fit"
    )
    return (
        entry.label,
        ", ".join(filter(None, (checked.machine, cards))),
        entry.status,
        entry.headline_j,
        from_samples,
        agrees,
        publication_cell,
    )
