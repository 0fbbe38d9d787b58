"""Terms that a case's answers have to keep, and the fault of one that breaks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.catalog.server_spec import TokenPrice
from bench.core.workload import Workload
from bench.engines.language.token_counter import TokenCounter
from bench.worker.serving.apis import Api
from bench.worker.serving.client import Answer
from bench.worker.serving.media import Fault, picture_fault, sound_fault


@dataclass(frozen=True)
class Terms:
    """What answers are held against."""

    workload: Workload
    api: Api
    new_tokens: int
    size_px: tuple[int, int]
    real_weights: bool
    counter: TokenCounter
    price: TokenPrice | None


def fault_of(answer: Answer, terms: Terms) -> Fault | None:
    """What is wrong with a whole answer's picture or clip; of text nothing that can be seen here."""
    if terms.api == "images":
        return picture_fault(answer.content, *terms.size_px)
    return sound_fault(answer.content) if terms.api == "speech" else None


def mark_faults(answers: Sequence[Answer], terms: Terms) -> None:
    """Make failures of whole answers that are not what was asked for."""
    for answer in answers:
        if answer.whole and (fault := fault_of(answer, terms)) is not None:
            answer.failure, answer.message = fault
