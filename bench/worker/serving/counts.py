"""Tokens of an answer: how many there were, by whose count, and how many of them came in a window.

The server's usage comes first, since it counts what it computed. Where there is a tokenizer here, its count
is kept beside it; two that disagree are a reason code, and the block is set aside.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from bench.core.served import TokensBy
from bench.engines.language.token_counter import TokenCounter
from bench.worker.serving.client import Answer
from bench.worker.serving.windows import Moments

DISAGREE = 0.02
"""Difference of two counts of the finished answers beyond which one of them is taken to be wrong.

Splitting a text again gives up to a percent fewer tokens than were generated.
"""


@dataclass(frozen=True)
class AnswerCount:
    """One answer's tokens: all that it has so far, the share of them in the window, our own count."""

    tokens: int
    share: float
    counted: int | None


def tokens_by(answers: Sequence[Answer], counter: TokenCounter) -> TokensBy:
    """Whose count is used for all answers of a window."""
    whole = [answer for answer in answers if answer.whole]
    if whole and all(answer.usage and answer.usage.output_tokens is not None for answer in whole):
        return "server usage"
    return "tokenizer" if counter else "pieces of the stream"


def count(answer: Answer, by: TokensBy, counter: TokenCounter, moments: Moments) -> AnswerCount:
    """The tokens of an answer, which may still be unfinished."""
    counted = counter.count(answer.text) if counter else None
    stated = answer.usage.output_tokens if answer.usage else None
    if by == "server usage" and stated is None:  # unfinished: the running count, else a token a piece
        stated = answer.stated[-1] if answer.stated else None
    tokens = counted if by == "tokenizer" else stated if by == "server usage" else None
    return AnswerCount(len(answer.pieces_ns) if tokens is None else tokens, _share(answer, moments), counted)


def _share(answer: Answer, moments: Moments) -> float:
    """Share of an answer's tokens that came in the window: by the server's running count, else by pieces."""
    first = bisect.bisect_left(answer.pieces_ns, moments.start_ns)
    last = bisect.bisect_left(answer.pieces_ns, moments.end_ns)
    if not answer.pieces_ns:
        return 0.0
    if len(answer.stated) == len(answer.pieces_ns) and answer.stated[-1]:
        before = answer.stated[first - 1] if first else 0
        return ((answer.stated[last - 1] if last else 0) - before) / answer.stated[-1]
    return (last - first) / len(answer.pieces_ns)


def input_share(answer: Answer, moments: Moments) -> float:
    """Share of a prompt's time to its first token inside the window: when it was read."""
    until_ns = answer.first_ns or answer.end_ns or moments.end_ns
    inside_ns = min(until_ns, moments.end_ns) - max(answer.sent_ns, moments.start_ns)
    return max(0.0, inside_ns / max(1, until_ns - answer.sent_ns))
