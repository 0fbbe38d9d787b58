"""Words with numbers in front of them."""

from __future__ import annotations

import pytest

from bench.core.words import counted


@pytest.mark.parametrize(("number", "text"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps")])
def test_a_noun_is_plural_but_for_one(number: int, text: str) -> None:
    assert counted(number, "step") == text
