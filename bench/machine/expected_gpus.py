"""Cards that a run asks for by model and number, so that a scheduler's other choice is refused.

    expected = parse("H100:8")
    require(expected, ["NVIDIA L4"])        # PrerequisiteError: ... this job has 1 NVIDIA L4

A model is part of a card's name, without regard to case, blanks and dashes: `h100`, `RTX 4090`, `a100-sxm4`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.errors import PrerequisiteError, UsageError

FORM = re.compile(r"(?P<model>[^:,]*[^:,\s][^:,]*)(:(?P<count>[1-9]\d{0,3}))?")


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


def require(expected: ExpectedGpus, cards: Sequence[str]) -> None:
    """Raise PrerequisiteError where the cards, by their names, are of another model or number."""
    fitting = [card for card in cards if _plain(expected.model) in _plain(card)]
    if len(fitting) == len(cards) == (expected.count or len(cards)) and cards:
        return
    counts = Counter(cards)
    seen = ", ".join(f"{number} {name}" for name, number in counts.items()) or "no card"
    raise PrerequisiteError(
        f"--expect-gpu asks for {expected}, and this job has {seen}.",
        "Ask for other cards, or name some of them with --gpus.",
    )


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.lower())
