"""Traces of agents: a hole is named by file, line and turn before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.prompts import prompts
from bench.core.modalities.agent import AgentOptions
from bench.core.modalities.text import TextOptions
from bench.engines.limits.agent import check_trace
from bench.errors import EngineError, UsageError

WHOLE = """\
version: 1
tasks:
  - name: first
    turns: [{input: a, output: ls}]
  - name: second
    turns:
      - {input: a, output: ls}
      - {input: "7", pause_s: 0.5, output: DONE}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_trace_passes(tmp_path: Path) -> None:
    check_trace(written(tmp_path, WHOLE))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pause_s: 0.5, ", "", "mine.yaml:8: task second, turn 2 has no pause_s."),
        (", output: DONE", "", "mine.yaml:8: turn 2, output: field required."),
        ("[{input: a, output: ls}]", "[]", "mine.yaml:3: the task: tuple should have at least 1 item"),
        ("tasks:", "jobs:", "mine.yaml has no tasks."),
    ],
)
def test_a_hole_has_its_line_and_turn(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(EngineError) as raised:
        check_trace(written(tmp_path, WHOLE.replace(old, new, 1)))
    assert raised.value.message.startswith(says)
    assert raised.value.missing


def test_a_missing_file_comes_with_the_form_of_what_is_missing(tmp_path: Path) -> None:
    absent = str(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match=r"cannot be read: .* Name a trace of `tasks`"):
        prompts("agent", AgentOptions(trace=absent))
    with pytest.raises(UsageError, match=r"cannot be read: .* Name a file of `prompts"):
        prompts("text", TextOptions(new_tokens=1, prompts=absent))
