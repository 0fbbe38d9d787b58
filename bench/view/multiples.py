"""Table of an item made by several models over what one of them makes by itself."""

from __future__ import annotations

from collections.abc import Sequence

from bench.compare.multiples import Multiple
from bench.stats.ratio import Ratio
from bench.view.content import Section, columns, table
from bench.view.spans import span


def section(found: Sequence[Multiple], unit: str) -> Section:
    """A row a part, the best placed first, and the commands that measure what is lacking."""
    alone = found[0].alone
    rows = ((each.part, each.model, each.mean_place, _written(each.ratio)) for each in found)
    heads = columns("part", "model", "#mean place", f"#J per {unit} over {alone}")
    lacking = {each.command: each for each in found if each.ratio is None}
    notes = [f"{each.model} by itself {each.lacking}: {command}" for command, each in lacking.items()]
    if all(each.mean_place is None for each in found):
        notes.append("No ranking was read, so the best member is not known; a row for each part.")
    return Section(f"Over {alone}", (table(heads, rows), *notes))


def _written(ratio: Ratio | None) -> str | None:
    return None if ratio is None else span(ratio)
