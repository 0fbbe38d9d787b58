"""Files of prompts and of an agent's tasks: whatever is in one, it is read or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.prompts import prompts
from bench.core.modalities.agent import AgentOptions
from bench.errors import UsageError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prompts: 3", "prompts: Input should be a valid list"),
        ("prompts: [{}]", "prompts.0.text: Field required"),
        ("tasks: [1]", "tasks.0: Input should be a valid dictionary"),
        ("version: two\nprompts: [{text: a}]", "version: Input should be a valid integer"),
        ("tasks: [{turns: {a: b, 1: c}}]", "a task is not plain text and numbers"),
        ("tasks: [{name: 2026-01-31}]", "a task is not plain text and numbers"),
        ("a: &a [1]\nb: *a", "it has an alias"),
        ("[1", "neither YAML nor JSON"),
        ("version: 1", "has no prompts"),
    ],
)
def test_a_wrong_file_is_a_sentence(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "tasks.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        prompts("agent", AgentOptions(trace=str(path)))
    assert says in str(caught.value)
