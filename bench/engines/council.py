"""A question to a council: n members answer, each ranks all answers, a chairman concludes; 2n + 1 calls.

The parts of the case are the members, and one that is called `chairman`. Each is a text model that is loaded
here or that a server of this machine has; parts with equal weights share one loaded model. The stages are
phases, edge to edge: `answers`, `rankings`, `conclusion`. All models stay loaded; one call is made at a time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from bench.core.modalities.council import CouncilOptions
from bench.core.modalities.text import TextOptions
from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck, PhaseEdges
from bench.engines.device import placed
from bench.engines.language import council_prompts
from bench.engines.language.passed_on import passed_on
from bench.engines.language.writers import Writer, writer_of
from bench.engines.weights import architectures
from bench.errors import EngineError

CHAIRMAN = "chairman"
LEAST_MEMBERS = 2
STAGES = ("answers", "rankings", "conclusion")


class Call(NamedTuple):
    """One call of a part, for all questions of a batch."""

    stage: str
    part: str
    made: GeneratedBatch


@dataclass(frozen=True)
class Sitting:
    """Output of a batch: its calls in their order, and each reader's order of the answers by question."""

    calls: tuple[Call, ...]
    orders: dict[str, list[tuple[int, ...]]]

    def of(self, stage: str) -> list[Call]:
        """The calls of a stage."""
        return [call for call in self.calls if call.stage == stage]


def create(spec: EngineSpec) -> CouncilEngine:
    """The engine for a spec with `CouncilOptions`."""
    assert isinstance(spec.options, CouncilOptions), "chosen by the type of the options"
    return CouncilEngine(spec, spec.options)


class CouncilEngine:
    """Members and chairman, on one device or at servers."""

    def __init__(self, spec: EngineSpec, options: CouncilOptions) -> None:
        self._spec = spec
        self._members = [name for name in spec.parts if name != CHAIRMAN]
        if CHAIRMAN not in spec.parts or not LEAST_MEMBERS <= len(self._members) <= council_prompts.LARGEST:
            raise EngineError(
                f"{spec.model} has {len(self._members)} members and needs 2 to {council_prompts.LARGEST}, "
                f"and a {CHAIRMAN}.",
                "Set them as its `parts` in models.yaml.",
            )
        self._lengths = {
            "answers": options.new_tokens,
            "rankings": options.ranking_tokens,
            "conclusion": options.conclusion_tokens,
        }
        self._writers = _writers(spec)

    def load(self) -> LoadedModel:
        """Bring every model onto the device, each once. Raises EngineError(stage="load")."""
        start = time.monotonic()
        placed.require_one(self._spec.devices, self._spec.model)
        ready = {id(writer): writer.load() for writer in self._writers.values()}
        by_part = {part: ready[id(writer)] for part, writer in self._writers.items()}
        first_of = {key: part for part, writer in reversed(self._writers.items()) for key in [id(writer)]}
        loaded = {first_of[key]: model for key, model in ready.items()}
        sizes = [model.memory_bytes for model in ready.values() if model.device_uuids]
        on_card = any(name.startswith("cuda") for name in self._spec.devices)
        own = [model.memory_bytes or 0 for model in ready.values()]
        return LoadedModel(
            parameters={f"{part}.{key}": n for part, m in loaded.items() for key, n in m.parameters.items()},
            dtypes={f"{part}.{key}": of for part, m in loaded.items() for key, of in m.dtypes.items()},
            used={part: _without_length(model.used) for part, model in by_part.items()}
            | self._used(first_of),
            revision=None,
            device_uuids=next((model.device_uuids for model in ready.values() if model.device_uuids), ()),
            memory_bytes=(sizes[-1] if sizes else None) if on_card else sum(own),
            load_s=time.monotonic() - start,
            libraries=placed.libraries(),
            part_revisions={part: model.revision for part, model in by_part.items()},
        )

    def _used(self, first_of: dict[int, str]) -> dict[str, object]:
        """Members, calls a question, and which parts share a loaded model."""
        shared = {part: first_of[id(writer)] for part, writer in self._writers.items()}
        return {
            "members": len(self._members),
            "calls": 2 * len(self._members) + 1,
            "shared": {part: of for part, of in shared.items() if part != of},
            "passed_on": "as many words of the prompt" if self._random else "text",
        }

    @property
    def _random(self) -> bool:
        return self._spec.weights.kind == "random"

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the question with the most characters: members count in tokens of their own."""
        lengths = [len(prompt) for prompt in prompts]
        return lengths.index(max(lengths))

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """One conclusion a question, all of them as one batch. Raises EngineError(stage="generate")."""
        start_ns = time.monotonic_ns()
        calls: list[Call] = []
        answers = [self._call(calls, "answers", part, prompts, prompts, seed) for part in self._members]
        by_question = list(zip(*answers, strict=True))
        orders, rankings = {}, []
        for part in self._members:
            orders[part] = [
                council_prompts.shuffled(len(self._members), f"{seed}/{part}/{i}")
                for i in range(len(prompts))
            ]
            asked = [
                council_prompts.ranking_prompt(prompt, texts, order)
                for prompt, texts, order in zip(prompts, by_question, orders[part], strict=True)
            ]
            said = self._call(calls, "rankings", part, asked, prompts, seed)
            rankings.append(
                [
                    council_prompts.in_letters(text, order)
                    for text, order in zip(said, orders[part], strict=True)
                ]
            )
        asked = [
            council_prompts.conclusion_prompt(prompt, texts, judged)
            for prompt, texts, judged in zip(prompts, by_question, zip(*rankings, strict=True), strict=True)
        ]
        self._call(calls, "conclusion", CHAIRMAN, asked, prompts, seed)
        sitting = Sitting(tuple(calls), orders)
        phases = tuple(
            PhaseEdges(stage, sitting.of(stage)[0].made.start_ns, sitting.of(stage)[-1].made.end_ns)
            for stage in STAGES
        )
        return GeneratedBatch(start_ns, time.monotonic_ns(), len(prompts), phases, sitting)

    def _call(
        self,
        calls: list[Call],
        stage: str,
        part: str,
        asked: Sequence[str],
        prompts: Sequence[str],
        seed: int,
    ) -> list[str]:
        """Texts of one part for each question, as the next stage gets them."""
        writer, length = self._writers[part], self._lengths[stage]
        writer.set_length(length)
        made = writer.generate(asked, seed)
        calls.append(Call(stage, part, made))
        return passed_on(writer.texts(made), prompts, length, self._assumed_ratio(part))

    def _assumed_ratio(self, part: str) -> float | None:
        """Tokens of a word that a part with random weights is taken to need; `None` for real ones."""
        weights = self._spec.parts[part].weights
        if weights.kind != "random" or self._spec.parts[part].server is not None:
            return None
        ratio = architectures.load(weights.architecture or "").tokens_per_word
        assert ratio is not None, "every text model states it"
        return ratio.value

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Tokens of all calls by stage, and ranks. Raises EngineError(stage="finish")."""
        sitting: Sitting = made.payload
        written, read = [0] * made.items, [0] * made.items
        counts: Counter[str] = Counter()
        problems = []
        for call in sitting.calls:
            writer = self._writers[call.part]
            writer.set_length(self._lengths[call.stage])
            check = writer.inspect(call.made)
            problems += [f"{call.stage} of {call.part}: {sentence}" for sentence in check.problems]
            for totals, of_call, name in (
                (written, check.tokens, "output_tokens"),
                (read, check.prompt_tokens, "input_tokens"),
            ):
                counts[f"{call.stage}.{name}"] += sum(of_call or ())
                for item, count in enumerate(of_call or ()):
                    totals[item] += count
            counts[f"{call.stage}.calls"] += made.items
        counts.update(self._ranks(sitting))
        return OutputCheck(
            tokens=tuple(written), prompt_tokens=tuple(read), problems=tuple(problems), counts=dict(counts)
        )

    def _ranks(self, sitting: Sitting) -> Counter[str]:
        """Number of rankings that could be read, and the sum of each member's places in them."""
        counts: Counter[str] = Counter()
        if self._random:
            return counts
        counts["rankings.read"] = 0
        for call in sitting.of("rankings"):
            texts = self._writers[call.part].texts(call.made)
            for text, order in zip(texts, sitting.orders[call.part], strict=True):
                ranked = council_prompts.read_ranking(text, order)
                counts["rankings.read"] += ranked is not None
                for place, member in enumerate(ranked or (), start=1):
                    counts[f"places.{self._members[member]}"] += place
        return counts

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write what each part wrote in each stage as `<stem>-<stage>-<part>-<i>.txt`."""
        sitting: Sitting = made.payload
        paths: list[Path] = []
        for call in sitting.calls:
            paths += self._writers[call.part].save(call.made, folder, f"{stem}-{call.stage}-{call.part}")
        return paths

    def unload(self) -> None:
        """Free the device."""
        for writer in {id(writer): writer for writer in self._writers.values()}.values():
            writer.unload()


def _without_length(used: dict[str, Any]) -> dict[str, Any]:
    """What a part really used; its length changes from stage to stage and is among the case's options."""
    return {key: value for key, value in used.items() if key != "new_tokens"}


def _writers(spec: EngineSpec) -> dict[str, Writer]:
    """The model of each part; parts that differ in nothing but their lengths share one."""
    shared: dict[str, Writer] = {}
    found = {}
    for name, part in spec.parts.items():
        if not isinstance(part.options, TextOptions):
            raise EngineError(f"{part.model} does not write text.", "Name a text model as its part.")
        part = replace(part, options=part.options.model_copy(update={"new_tokens": 1}))
        key = repr((part.model, part.weights, part.dtype, part.options, part.server))
        if key not in shared:
            shared[key] = writer_of(replace(part, model=f"{spec.model} ({name}: {part.model})"))
        found[name] = shared[key]
    return found
