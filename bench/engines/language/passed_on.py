"""Text from one model of a chain to the next.

passed_on(texts, prompts, 340, None)       # real weights: the texts themselves
passed_on(texts, prompts, 340, 1.33)       # random weights: 256 words of each prompt, over and over
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice


def passed_on(
    texts: Sequence[str], prompts: Sequence[str], tokens: int, tokens_per_word: float | None
) -> list[str]:
    """Input of a model from the one before: its texts, or with random weights as many words of the prompts.

    Random weights write no words, and a text of another length is other work for the next model.
    """
    if tokens_per_word is None:
        return list(texts)
    count = max(1, round(tokens / tokens_per_word))
    return [" ".join(islice(cycle(prompt.split()), count)) for prompt in prompts]
