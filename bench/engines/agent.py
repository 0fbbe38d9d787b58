"""A recorded task of an agent, replayed: a turn reads its whole context and writes as much as was recorded.

The part `model` of the case writes, here or at a server. Before a turn the engine pauses for as long as the
tools took. Phases are those of the model (`prefill` and `decode`, or `answer` of a server) and `tool_pause`,
so that the joules of waiting are apart. Later turns read the recorded output, not what was written here: the
work is the same each time. Tasks of a batch come one after another.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.core.agent_trace import AgentTask, read_task
from bench.core.modalities.agent import AgentOptions
from bench.core.modalities.text import TextOptions
from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck, PhaseEdges
from bench.engines.device import placed
from bench.engines.language.writers import Writer, writer_of
from bench.errors import EngineError

PART = "model"
TOOL_PAUSE = "tool_pause"
TOKENS_PER_WORD = 1.33
"""Of a turn without a count, at a server, whose tokenizer is not here."""


@dataclass(frozen=True)
class ReplayedTurn:
    """One turn of a task, and its length."""

    task: int
    turn: int
    new_tokens: int
    made: GeneratedBatch


def create(spec: EngineSpec) -> AgentEngine:
    """The engine for a spec with `AgentOptions`."""
    assert isinstance(spec.options, AgentOptions), "chosen by the type of the options"
    return AgentEngine(spec, spec.options)


def pause(seconds: float) -> None:
    """Wait as the agent waited for its tools."""
    time.sleep(seconds)


class AgentEngine:
    """One text model that replays tasks."""

    def __init__(self, spec: EngineSpec, options: AgentOptions) -> None:
        if set(spec.parts) != {PART}:
            raise EngineError(f"{spec.model} needs one part, {PART}.", "Set its `parts` in models.yaml.")
        part = spec.parts[PART]
        if not isinstance(part.options, TextOptions):
            raise EngineError(f"{part.model} does not write text.", "Name a text model as its part.")
        self._spec, self._options = spec, options
        self._writer: Writer = writer_of(part)

    def load(self) -> LoadedModel:
        """Bring the model onto its device. Raises EngineError(stage="load")."""
        ready = self._writer.load()
        used: dict[str, Any] = {key: value for key, value in ready.used.items() if key != "new_tokens"}
        used |= {"pauses": self._options.pauses, "context": "read anew in every turn"}
        return replace(ready, used=used, libraries=placed.libraries(), part_revisions={PART: ready.revision})

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the task with the longest context. Raises EngineError where a task has a hole."""
        lengths = [len(task.context_before(len(task.turns) - 1)) for task in map(read_task, prompts)]
        return lengths.index(max(lengths))

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """Replay each task, one after another. Raises EngineError(stage="generate")."""
        start_ns = time.monotonic_ns()
        turns: list[ReplayedTurn] = []
        phases: list[PhaseEdges] = []
        for number, task in enumerate(map(read_task, prompts)):
            self._replay(number, task, seed, turns, phases)
        return GeneratedBatch(start_ns, time.monotonic_ns(), len(prompts), tuple(phases), tuple(turns))

    def _replay(
        self, number: int, task: AgentTask, seed: int, turns: list[ReplayedTurn], phases: list[PhaseEdges]
    ) -> None:
        for at, turn in enumerate(task.turns):
            if turn.pause_s and self._options.pauses == "recorded":
                begun_ns = time.monotonic_ns()
                pause(turn.pause_s)
                phases.append(PhaseEdges(TOOL_PAUSE, begun_ns, time.monotonic_ns()))
            new_tokens = turn.output_tokens or self._count(turn.output)
            self._writer.set_length(new_tokens)
            made = self._writer.generate([task.context_before(at)], seed)
            phases += made.phases
            turns.append(ReplayedTurn(number, at, new_tokens, made))

    def _count(self, text: str) -> int:
        return max(1, self._writer.count_tokens(text) or round(len(text.split()) * TOKENS_PER_WORD))

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Tokens of each task and turn. Raises EngineError(stage="finish")."""
        written, read = [0] * made.items, [0] * made.items
        counts: Counter[str] = Counter()
        problems = []
        turns: tuple[ReplayedTurn, ...] = made.payload
        for turn in turns:
            self._writer.set_length(turn.new_tokens)
            check = self._writer.inspect(turn.made)
            problems += [f"task {turn.task}, turn {turn.turn + 1}: {text}" for text in check.problems]
            output, context = sum(check.tokens or ()), sum(check.prompt_tokens or ())
            written[turn.task] += output
            read[turn.task] += context
            name = f"turn {turn.turn + 1:02d}"
            counts.update(
                {f"{name}.calls": 1, f"{name}.input_tokens": context, f"{name}.output_tokens": output}
            )
        return OutputCheck(
            tokens=tuple(written), prompt_tokens=tuple(read), problems=tuple(problems), counts=dict(counts)
        )

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write what the model wrote in each turn as `<stem>-<task>-turn<NN>-0.txt`."""
        turns: tuple[ReplayedTurn, ...] = made.payload
        paths: list[Path] = []
        for turn in turns:
            paths += self._writer.save(turn.made, folder, f"{stem}-{turn.task}-turn{turn.turn + 1:02d}")
        return paths

    def unload(self) -> None:
        """Free the device."""
        self._writer.unload()
