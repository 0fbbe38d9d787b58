"""Cards that a run or a case asks for by model and number, and labels of a case's node.

    expected = parse("H100:8")
    require(expected, ["NVIDIA L4"])        # PrerequisiteError: ... this job has 1 NVIDIA L4

A model is part of a card's name, without regard to case, blanks and dashes: `h100`, `RTX 4090`, `a100-sxm4`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.catalog.case_place import CasePlace
from bench.errors import PrerequisiteError, UsageError

FORM = re.compile(r"(?P<model>[^:,]*[^:,\s][^:,]*)(:(?P<count>[1-9]\d{0,3}))?")

OTHER_CARDS = "Ask for other cards, or name some of them with --gpus."


@dataclass(frozen=True)
class ExpectedGpus:
    """A model of card, and how many of it; `count` is `None` for any number from one."""

    model: str
    count: int | None

    def __str__(self) -> str:
        return self.model if self.count is None else f"{self.model}:{self.count}"


def parse(text: str) -> ExpectedGpus:
    """`MODEL` or `MODEL:COUNT`. Raises UsageError."""
    found = FORM.fullmatch(text)
    if found is None:
        raise UsageError(f"--expect-gpu {text!r} is not MODEL or MODEL:COUNT.", "For example: H100:8.")
    return ExpectedGpus(found["model"].strip(), int(found["count"]) if found["count"] else None)


def why_elsewhere(place: CasePlace | None, cards: Sequence[str]) -> str | None:
    """Reason why a case is for a machine with other cards than these; `None` where they will do."""
    if place is None or place.gpu is None:
        return None
    expected = parse(place.gpu)
    if len(_fitting(expected, cards)) >= (expected.count or 1):
        return None
    return f"it is for {expected}, and {_seen(cards)} can be used"


def why_other_node(place: CasePlace | None, labels: Mapping[str, str]) -> str | None:
    """Reason why a case is for a node with other labels than these; `None` where they will do."""
    for key, value in place.labels.items() if place else ():
        if labels.get(key) != value:
            stated = f"{key}={labels[key]}" if key in labels else f"no label {key}"
            return f"it is for a node with {key}={value}, and this one has {stated}"
    return None


def require(expected: ExpectedGpus, cards: Sequence[str], way_out: str = OTHER_CARDS) -> None:
    """Raise PrerequisiteError where the cards, by their names, are of another model or number."""
    if len(_fitting(expected, cards)) == len(cards) == (expected.count or len(cards)) and cards:
        return
    raise PrerequisiteError(
        f"--expect-gpu asks for {expected}, and this job has {_seen(cards)}.",
        way_out,
    )


def _fitting(expected: ExpectedGpus, cards: Sequence[str]) -> list[str]:
    return [card for card in cards if _plain(expected.model) in _plain(card)]


def _seen(cards: Sequence[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in Counter(cards).items()) or "no card"


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.lower())
