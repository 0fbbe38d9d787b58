"""Prompts of a server's requests: each begins unlike every other, so that no prefix cache has seen it.

prompts = ServedPrompts(texts, prompt_tokens=1024)
prompts.text(7)            # "5d1e0a93c1b2: Write a letter ..."
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Sequence

USUAL_TOKENS_PER_WORD = 1.3
SHOTS = 3
"""Rounds in which the words of a prompt are fitted to its tokens as the server counts them."""
CLOSE = 0.02
"""A prompt's length is fitted once it is off by less than this."""


class ServedPrompts:
    """The prompts of a set, by number, each with a mark in front of it that is used once.

    The mark is new in each run: a server that stays up would know the prompts of an earlier one. Texts to be
    spoken have a number instead.
    """

    def __init__(self, texts: Sequence[str], prompt_tokens: int | None, *, spoken: bool = False) -> None:
        self._texts, self._spoken = texts, spoken
        self._wanted = prompt_tokens
        self._words = None if prompt_tokens is None else max(1, round(prompt_tokens / USUAL_TOKENS_PER_WORD))
        self._run = secrets.token_hex(8)

    def text(self, number: int) -> str:
        """The prompt of a request."""
        # Of a text to be spoken the mark is heard: a number takes half a second, twelve signs take five.
        mark = f"{number + 1}." if self._spoken else f"{self._drawn(number)}:"
        if self._words is None:
            return f"{mark} {self._texts[number % len(self._texts)]}"
        turned = itertools.islice(itertools.cycle(self._texts), number % len(self._texts), None)
        words = itertools.chain.from_iterable(text.split() for text in turned)
        return " ".join([mark, *itertools.islice(words, self._words)])

    def _drawn(self, number: int) -> str:
        """Twelve hexadecimal digits of this run and request; two differ from the first on, 15 times of 16.

        With a counter in their place a server's prefix cache had 9 % of such prompts, token by character.
        """
        return hashlib.blake2b(f"{self._run}-{number}".encode(), digest_size=6).hexdigest()

    def fit(self, tokens: int) -> bool:
        """Correct the words of a prompt by the `tokens` that one had; whether it was close enough already."""
        if self._words is None or self._wanted is None:
            return True
        if abs(tokens / self._wanted - 1) <= CLOSE:
            return True
        self._words = max(1, round(self._words * self._wanted / tokens))
        return False
