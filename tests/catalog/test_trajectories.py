"""Trajectories of SWE-agent as traces: what is taken from where, and what is a hole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.catalog.prompts import prompts
from bench.catalog.trajectories import trace_of
from bench.core.agent_trace import read_task
from bench.core.modalities.agent import AgentOptions
from bench.errors import RecordError

QUERY = [
    {"role": "system", "content": "You fix bugs."},
    {"role": "user", "content": [{"type": "text", "text": "The parser drops the last line."}]},
]
STEPS: list[dict[str, Any]] = [
    {
        "query": QUERY,
        "response": "Let me look.\n```\nls\n```",
        "thought": "Let me look.",
        "action": "ls\n",
        "observation": "parser.py",
        "execution_time": 0.25,
        "state": {},
    },
    {
        "response": "I call a tool.",
        "thought": "I call a tool.",
        "action": "submit --now",
        "observation": "",
        "execution_time": 1.5,
    },
]


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "bug-7.traj"
    path.write_text(json.dumps({"trajectory": STEPS, "history": [], "info": {}} | changes), encoding="utf-8")
    return path


def test_a_step_becomes_a_turn_after_the_pause_of_the_one_before(tmp_path: Path) -> None:
    trace = tmp_path / "trace.yaml"
    trace.write_text(trace_of(written(tmp_path)), encoding="utf-8")
    (text,) = prompts("agent", AgentOptions(trace=str(trace))).texts
    task = read_task(text)
    assert (task.name, task.system) == ("bug-7", "You fix bugs.")
    first, second = task.turns
    assert first.input == "The parser drops the last line."
    assert first.output == "Let me look.\n```\nls\n```"
    assert (second.input, second.pause_s) == ("parser.py", 0.25)
    assert second.output == "I call a tool.\n\nsubmit --now", "a call of a tool is not in the response"
    assert second.output_tokens is None


def test_older_files_have_their_beginning_in_the_history(tmp_path: Path) -> None:
    old = [{key: value for key, value in step.items() if key != "query"} for step in STEPS]
    history = [*QUERY, {"role": "assistant", "content": "Let me look."}, {"role": "user", "content": "later"}]
    found = yaml.safe_load(trace_of(written(tmp_path, trajectory=old, history=history)))
    assert found["tasks"][0]["turns"][0]["input"] == "The parser drops the last line."


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trajectory": []}, "not a trajectory of SWE-agent"),
        (
            {"trajectory": [STEPS[0] | {"execution_time": None}, STEPS[1]]},
            "step 1 of 2 has no execution_time",
        ),
        ({"trajectory": [STEPS[0], STEPS[1] | {"response": None}]}, "step 2 of 2 has no response"),
        ({"trajectory": [STEPS[1]]}, "what the model was first asked is in neither query nor history"),
    ],
)
def test_a_hole_is_one_sentence(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(RecordError) as raised:
        trace_of(written(tmp_path, **changes))
    assert says in str(raised.value)
