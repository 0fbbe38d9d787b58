"""Text from elsewhere: whatever is in it, there is a value or a ValueError, soon."""

from __future__ import annotations

import time

import pytest

from bench.core.untrusted import json_of, yaml_of

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "it has an alias"),
        ("[" * 200_000, "nested more than 64 deep"),
        ("a: !!python/object/apply:os.getcwd []", "it has a tag"),
        ("a: [1, 2", "expected"),
        ("a: \x00", "control characters"),
    ],
)
def test_a_trap_in_yaml_is_a_sentence(text: str, says: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValueError, match=says) as caught:
        yaml_of(text)
    assert "\n" not in str(caught.value)
    assert time.process_time() - begun < 2


def test_deep_json_is_a_sentence_and_plain_text_a_value() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        json_of("[" * 200_000)
    assert json_of(b'{"a": [1, null]}') == {"a": [1, None]}
    assert yaml_of("a: [1, null, 2026-01-31]")["a"][:2] == [1, None]
