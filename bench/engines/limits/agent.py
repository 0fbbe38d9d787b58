"""Limits of agents: a user's trace without a hole, each named by the line of its turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from bench.core.agent_trace import MEND, TraceHole, task_or_hole
from bench.core.modalities.agent import AgentOptions
from bench.core.untrusted import text_in, yaml_of
from bench.engines.base import EngineSpec
from bench.engines.weights.architectures import Architecture
from bench.errors import EngineError


def check(spec: EngineSpec, shape: Architecture | None) -> None:  # noqa: ARG001 - of all files here
    """Raise EngineError for the first hole of a user's trace; the bundled one has none."""
    options = spec.options
    assert isinstance(options, AgentOptions), "chosen by the type of the options"
    if options.prompt_file is not None:
        check_trace(Path(options.prompt_file))


def check_trace(path: Path) -> None:
    """Raise EngineError with file, line and turn of the first hole."""
    try:
        text = text_in(path)
        yaml_of(text)  # refuses aliases and what nests without end
        root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise EngineError(f"{path.name}: cannot be read as YAML or JSON.", MEND, missing=True) from error
    tasks = _value(root, "tasks")
    if not isinstance(tasks, yaml.SequenceNode):
        raise EngineError(
            f"{path.name} has no tasks.",
            "Write them like those of bench/data/prompts/agent-tasks.yaml.",
            missing=True,
        )
    for node in tasks.value:
        loader = yaml.SafeLoader("")
        found = task_or_hole(json.dumps(loader.construct_document(node), default=str))
        if isinstance(found, TraceHole):
            raise EngineError(f"{path.name}:{_line(node, found.turn)}: {found.what}.", MEND, missing=True)


def _line(task: yaml.Node, turn: int | None) -> int:
    """Line of a turn, or of its task, counted from 1."""
    turns = _value(task, "turns") if turn is not None else None
    at = turns.value[turn - 1] if isinstance(turns, yaml.SequenceNode) and turn else task
    return int(at.start_mark.line) + 1


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Value of a key of a mapping; `None` where there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)
