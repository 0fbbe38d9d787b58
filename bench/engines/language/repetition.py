"""Pages that are one phrase from beginning to end, which is what damaged weights write.

    phrase([7, 9] * 100)                # 2
    phrase(list(range(200)))            # None

Greedy decoding of a small base model falls into sentences that come again and again; that is its page, and
its joules are those of any other. So a phrase is at most `LONGEST_PHRASE` tokens here, and the page has
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_PHRASE = 4
"""Tokens: the shortest sentences that base models loop through have more."""
SHARE = 0.95
"""Share of tokens that are the one a phrase before; the rest is a beginning before the loop."""
LEAST_TIMES = 4
"""Times that a phrase is written before it is called a repetition; a page of twelve tokens may be a list."""


def phrase(ids: Sequence[int]) -> int | None:
    """Tokens of the phrase that a page repeats; `None` of a page with more in it, or too short to tell."""
    for length in range(1, LONGEST_PHRASE + 1):
        pairs = len(ids) - length
        if len(ids) < LEAST_TIMES * length:
            return None
        if sum(map(int.__eq__, ids[length:], ids[:-length])) >= SHARE * pairs:
            return length
    return None
