"""Trajectories of other agents' programs as traces to replay: `.traj` files of SWE-agent.

    text = trace_of(Path("django__django-11099.traj"))      # YAML for `bench run agent-qwen3-8b --trace FILE`

A step of SWE-agent (`TrajectoryStep` in its `sweagent/types.py`) has the messages that the model was shown
(`query`), its `response`, the `action` read from it, the `observation` that came back, and `execution_time`,
seconds of the action. Files before version 1.1.0 lack `query`; their first messages are in `history`. It has
no tokens by step, so the replay counts them by its own tokenizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from bench.core.agent_trace import AgentTask, AgentTurn
from bench.core.untrusted import json_of, text_in
from bench.errors import RecordError

NEEDED = ("response", "action", "observation", "execution_time")
"""Keys of a step; the last step needs no observation, since no turn reads it."""


def trace_of(path: Path) -> str:
    """A trace with the trajectory as its one task. Raises RecordError that names what it lacks."""
    raw = _read(path)
    steps = raw["trajectory"]
    for number, step in enumerate(steps, start=1):
        lacking = [
            key for key in NEEDED if step.get(key) is None and (key == "response" or number < len(steps))
        ]
        if lacking:
            raise RecordError(
                f"{path}: a hole: step {number} of {len(steps)} has no {lacking[0]}.",
                "Record the run again; a part of it is not its energy.",
            )
    system, first = _beginning(path, raw)
    task = AgentTask(name=path.stem, system=system, turns=tuple(_turns(first, steps)))
    head = f"# From {path.name}, a trajectory of SWE-agent.\n"
    document = {"version": 1, "tasks": [task.model_dump(mode="json", exclude_defaults=True)]}
    return head + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110)


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = json_of(text_in(path))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(f"{path}: not a JSON file: {error}.") from error
    steps = raw.get("trajectory") if isinstance(raw, dict) else None
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise RecordError(f"{path}: not a trajectory of SWE-agent.", "Name a .traj file with its steps.")
    return dict(raw)


def _turns(first: str, steps: Sequence[Mapping[str, Any]]) -> list[AgentTurn]:
    """A turn a step: what the step before it left, and what the model wrote in it."""
    turns = [AgentTurn(input=first, output=_output(steps[0]))]
    for before, step in pairwise(steps):
        pause_s = float(before["execution_time"])
        turns.append(AgentTurn(input=str(before["observation"]), pause_s=pause_s, output=_output(step)))
    return turns


def _output(step: Mapping[str, Any]) -> str:
    """What the model wrote, with the action where the response itself does not show it."""
    response, action = str(step["response"]), str(step.get("action") or "").strip()
    return response if action in response else f"{response}\n\n{action}".strip()


def _beginning(path: Path, raw: Mapping[str, Any]) -> tuple[str, str]:
    """The system's message, and all others before the model's first answer. Raises RecordError."""
    messages = raw["trajectory"][0].get("query") or _before_answer(raw.get("history") or ())
    texts = [(message.get("role"), _text(message.get("content"))) for message in messages]
    system = "\n\n".join(text for role, text in texts if role == "system" and text)
    asked = "\n\n".join(text for role, text in texts if role != "system" and text)
    if not asked:
        raise RecordError(f"{path}: a hole: what the model was first asked is in neither query nor history.")
    return system, asked


def _before_answer(history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages before the model's own first one; demonstrations of another run are among them."""
    found: list[Mapping[str, Any]] = []
    for message in history:
        if message.get("role") == "assistant" and not message.get("is_demo"):
            break
        found.append(message)
    return found


def _text(content: Any) -> str:
    """A message's text: one, or the texts among its parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
