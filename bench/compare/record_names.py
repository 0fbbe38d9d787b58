"""Names of records, in every verb: one parser of one grammar.

PATH             a file or a folder
REVISION:PATH    either as committed, as in `git show`
RUN              a run's id, or a beginning that no other run shares; `latest` is the newest run
-                standard input: one JSON record or several, one after the other
NAME=...         any of these under a label of one's own
...@A, ...@B     one side of the pairs (`bench run --pair`) among any of these
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal

from bench.errors import UsageError

LATEST, STANDARD_INPUT = "latest", "-"
RUN_ID = re.compile(r"\d{4,8}|\d{8}t(\d{0,5}|\d{6}(-[0-9a-f]{0,6})?)")
"""A run's id as `bench run` prints it, or its beginning from the year on."""

NameKind = Literal["path", "revision", "run", "stdin"]


@dataclass(frozen=True)
class RecordName:
    """A parsed name. `inside` is the path at a revision; `text` is without label and side."""

    label: str
    text: str
    kind: NameKind
    side: str | None = None
    inside: str = ""


def parse(text: str) -> RecordName:
    """The parts of `text`. A file or folder of that very name always wins. Raises UsageError."""
    whole, side = sided(text)
    label, name = labelled(whole)
    unlabelled = label == whole
    if os.path.lexists(name):
        return RecordName(_label(label, side, unlabelled), name, "path", side)
    if name == STANDARD_INPUT:
        return RecordName(_label(label, side, unlabelled), name, "stdin", side)
    if is_run(name):
        return RecordName(_label(label, side, unlabelled), name, "run", side)
    revision, colon, inside = name.partition(":")
    if colon and revision and inside and not revision.startswith("-"):
        return RecordName(_label(label, side, unlabelled), revision, "revision", side, inside)
    raise UsageError(
        f"{name}: no such file or folder.",
        "`python -m bench run` prints what it wrote; a run's id, latest and REVISION:PATH are names too.",
    )


def is_run(text: str) -> bool:
    """Whether a text names a run: no file has that name."""
    return not os.path.lexists(text) and (text == LATEST or RUN_ID.fullmatch(text) is not None)


def _label(label: str, side: str | None, unlabelled: bool) -> str:
    return f"{label}@{side}" if side and unlabelled else label


def sided(text: str) -> tuple[str, str | None]:
    """`PATH@A` as both; anything that has no such end, or is a file's own name, is whole."""
    whole, at, side = text.rpartition("@")
    own_name = any(map(os.path.lexists, (text, text.partition("=")[2])))
    return (whole, side) if at and side in ("A", "B") and not own_name else (text, None)


def labelled(text: str) -> tuple[str, str]:
    """`NAME=PATH` as both; anything else is its own label. Raises UsageError where one of them is empty."""
    named = re.fullmatch(r"([^=:/]*)=(.*)", text)
    if named is None or os.path.lexists(text):
        return text, text
    label, path_text = named.groups()
    if not label or not path_text:
        raise UsageError(f'"{text}" is not name=path.', "For example: before=results/monday.")
    return label, path_text


def no_side(whole: str, side: str) -> str:
    """The problem where no record is that side of a pair."""
    return f"{whole}: it has no record of side {side} of a pair."
