"""Ratings of a blind sheet: which outputs people accepted, by record.

ratings = read_ratings(folder / "key.json", [Path("ratings.csv"), ...])
ratings.verdicts["results/a.json"]         # {digest: True, ...}: accepted by more than half of its raters
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.untrusted import json_of, text_in
from bench.errors import RecordError, UsageError
from bench.footprint.drafts.sheet import SCHEMA

ANSWERS = {
    "yes": True,
    "y": True,
    "1": True,
    "true": True,
    "no": False,
    "n": False,
    "0": False,
    "false": False,
}


@dataclass(frozen=True)
class SheetRatings:
    """Verdicts by record and output, how many people rated, and how often they agreed."""

    verdicts: dict[str, dict[str, bool]]
    raters: int
    agreement: float | None
    """Share of pairs of ratings of one item that agree; `None` where no item was rated twice."""
    unrated: int
    """Items without a rating, or with as many for as against."""


def read_ratings(key: Path, files: Sequence[Path]) -> SheetRatings:
    """All ratings of a sheet. Raises RecordError for a file of another, UsageError for an odd answer."""
    items = _key(key)
    given: dict[str, dict[str, bool]] = defaultdict(dict)
    raters = set()
    for path in files:
        for number, (item, answer, rater) in enumerate(_rows(path), start=2):
            if item not in items:
                raise RecordError(f"{path}:{number}: the sheet has no item {item}.", f"Its key is {key}.")
            if not answer:
                continue
            if answer.lower() not in ANSWERS:
                raise UsageError(f"{path}:{number}: accept is {answer!r}.", "Write yes or no.")
            raters.add(rater or path.name)
            given[item][rater or path.name] = ANSWERS[answer.lower()]
    verdicts: dict[str, dict[str, bool]] = defaultdict(dict)
    unrated = 0
    for item, (record, output) in items.items():
        votes = list(given[item].values())
        if 2 * sum(votes) == len(votes):
            unrated += 1
        else:
            verdicts[record][output] = 2 * sum(votes) > len(votes)
    return SheetRatings(dict(verdicts), len(raters), _agreement(given), unrated)


def _agreement(given: dict[str, dict[str, bool]]) -> float | None:
    agreeing = pairs = 0
    for votes in given.values():
        yes, n = sum(votes.values()), len(votes)
        pairs += n * (n - 1) // 2
        agreeing += yes * (yes - 1) // 2 + (n - yes) * (n - yes - 1) // 2
    return agreeing / pairs if pairs else None


def _key(path: Path) -> dict[str, tuple[str, str]]:
    try:
        raw = json_of(text_in(path))
        items = {name: (entry["record"], entry["output"]) for name, entry in raw["items"].items()}
        schema = raw["schema"]
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: not the key of a rating sheet.", "Name the sheet's key.json.") from error
    if schema != SCHEMA:
        raise RecordError(f"{path}: a key of another form, {schema}.", "Write the sheet anew.")
    return items


def _rows(path: Path) -> list[tuple[str, str, str]]:
    try:
        text = text_in(path, "utf-8-sig")
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read: {error}.") from error
    reader = csv.DictReader(io.StringIO(text))
    if not {"item", "accept"} <= set(reader.fieldnames or ()):
        raise RecordError(f"{path}: no columns item and accept.", "Use the sheet's own CSV.")
    return [(_cell(row, "item"), _cell(row, "accept"), _cell(row, "rater")) for row in reader]


def _cell(row: dict[str, str | None], head: str) -> str:
    return (row.get(head) or "").strip()
