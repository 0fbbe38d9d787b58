"""Pages that are one phrase, against pages whose repetition is known."""

from __future__ import annotations

import random

import pytest

from bench.engines.language.repetition import LONGEST_PHRASE, phrase

WORDS = list(range(1000, 1340))
"""A page of 340 different tokens."""


@pytest.mark.parametrize(
    ("ids", "length"),
    [
        ([7] * 340, 1),
        ([7, 8] * 170, 2),
        ([1, 2, 3, 4] * 85, 4),
        ([5, 5, 5, 6] * 85, 4),
        (WORDS[:16] + [7] * 324, 1),  # a beginning of a twentieth of the page
        ([7] * 4, 1),
    ],
)
def test_a_page_of_one_phrase_is_found_out(ids: list[int], length: int) -> None:
    assert phrase(ids) == length


@pytest.mark.parametrize(
    "ids",
    [
        WORDS,
        WORDS[:20] * 17,  # a sentence that comes again and again, as small base models write
        WORDS[: LONGEST_PHRASE + 1] * 68,
        WORDS[:40] + [7] * 300,  # a page that ends in a loop
        [7] * 3,
        [1, 2, 1, 2, 1, 2],
        [],
    ],
    ids=["all different", "a sentence", "five tokens", "a looping end", "three", "too short", "empty"],
)
def test_a_page_with_more_in_it_is_none(ids: list[int]) -> None:
    assert phrase(ids) is None


@pytest.mark.parametrize("seed", range(20))
def test_text_with_the_commonest_words_of_a_language_is_no_repetition(seed: int) -> None:
    """Half of its tokens are one of three words, as of and the in English."""
    chance = random.Random(seed)
    ids = [
        chance.choice((1, 2, 3)) if chance.random() < 0.5 else chance.randrange(4, 5000) for _ in range(340)
    ]
    assert phrase(ids) is None
