"""A spoken answer to a spoken question, by the engines of recognition, text and speech one after the other.

Each part is a phase, edge to edge: `recognition`, `text`, `speech`. All parts stay loaded. Weights are random
ones, or a folder with a model in each of its folders `recognition`, `text` and `speech`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.core.modalities.voice import VoiceOptions
from bench.core.modality import Options
from bench.core.weights import Weights
from bench.engines.base import Engine, EngineSpec, GeneratedBatch, LoadedModel, OutputCheck, PhaseEdges
from bench.engines.device import placed
from bench.engines.language.passed_on import passed_on
from bench.engines.limits.voice import options_by_part, options_of_chain
from bench.engines.recognition import RecognitionEngine
from bench.engines.recognition import create as create_recognition
from bench.engines.sound.clip_engine import ClipEngine
from bench.engines.speech import create as create_speech
from bench.engines.text import TextEngine
from bench.engines.text import create as create_text
from bench.engines.weights import architectures
from bench.errors import EngineError

PARTS = ("recognition", "text", "speech")
ASKED = "Answer in a few sentences: "
"""Prompt before a transcript, so that the text model has a task for any transcript."""


@dataclass(frozen=True)
class Answers:
    """Output of each part for the same batch."""

    recognition: GeneratedBatch
    text: GeneratedBatch
    speech: GeneratedBatch

    def by_part(self) -> dict[str, GeneratedBatch]:
        """In the order of the chain."""
        return {part: getattr(self, part) for part in PARTS}


def create(spec: EngineSpec) -> VoiceEngine:
    """The engine for a spec with `VoiceOptions`."""
    assert isinstance(spec.options, VoiceOptions), "chosen by the type of the options"
    return VoiceEngine(spec, spec.options)


class VoiceEngine:
    """Three models on one device."""

    def __init__(self, spec: EngineSpec, options: VoiceOptions) -> None:
        self._spec = spec
        self._options = options
        own = options_by_part(options)
        self._recognition: RecognitionEngine = create_recognition(
            self._part("recognition", own["recognition"])
        )
        self._text: TextEngine = create_text(self._part("text", own["text"]))
        self._speech: ClipEngine = create_speech(self._part("speech", own["speech"]))
        self._tokens_per_word = self._assumed_ratio()

    def load(self) -> LoadedModel:
        """Bring all three models onto the device. Raises EngineError(stage="load")."""
        start = time.monotonic()
        placed.require_one(self._spec.devices, self._spec.model)
        engines: dict[str, Engine] = {
            "recognition": self._recognition,
            "text": self._text,
            "speech": self._speech,
        }
        parts = {}
        for part, engine in engines.items():
            with options_of_chain(part):
                parts[part] = engine.load()
        used = {part: ready.used for part, ready in parts.items()}
        revisions = [f"{part}:{ready.revision}" for part, ready in parts.items()]
        own = self._spec.weights.architecture
        return LoadedModel(
            parameters=_by_part({part: ready.parameters for part, ready in parts.items()}),
            dtypes=_by_part({part: ready.dtypes for part, ready in parts.items()}),
            used={
                **used,
                "passed_on": "text" if self._tokens_per_word is None else "as many words of the prompt",
                "heard_seconds": self._options.heard_seconds,
                "seconds": self._options.seconds,
            },
            revision=architectures.fingerprint(own) if own else " ".join(revisions),
            device_uuids=parts["text"].device_uuids,
            memory_bytes=self._memory_bytes(parts),
            load_s=time.monotonic() - start,
            libraries=placed.libraries(),
        )

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the first: all questions are equally long. Their speech is made here."""
        return self._recognition.longest_prompt(prompts)

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """One spoken answer a question, all of them as one batch. Raises EngineError(stage="generate")."""
        heard = self._recognition.generate(prompts, seed)
        transcripts = passed_on(
            heard.payload.texts, prompts, self._options.transcript_tokens, self._tokens_per_word
        )
        written = self._text.generate([ASKED + text for text in transcripts], seed)
        texts = passed_on(self._text.texts(written), prompts, self._options.new_tokens, self._tokens_per_word)
        spoken = self._speech.generate(texts, seed)
        answers = Answers(heard, written, spoken)
        phases = tuple(
            PhaseEdges(part, made.start_ns, made.end_ns) for part, made in answers.by_part().items()
        )
        return GeneratedBatch(heard.start_ns, spoken.end_ns, len(prompts), phases, answers)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Seconds of speech made and heard, tokens written. Raises EngineError(stage="finish")."""
        answers: Answers = made.payload
        heard = self._recognition.inspect(answers.recognition)
        written, spoken = self._text.inspect(answers.text), self._speech.inspect(answers.speech)
        problems = (*heard.problems, *written.problems, *spoken.problems)
        return replace(
            written, words=None, problems=problems, seconds=spoken.seconds, heard_seconds=heard.seconds
        )

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each answer as `<stem>-<i>.wav`, its transcript and its text as `.txt`."""
        answers: Answers = made.payload
        return [
            *self._speech.save(answers.speech, folder, stem),
            *self._recognition.save(answers.recognition, folder, f"{stem}-heard"),
            *self._text.save(answers.text, folder, f"{stem}-answer"),
        ]

    def unload(self) -> None:
        """Free the device."""
        for engine in (self._recognition, self._text, self._speech):
            engine.unload()

    def _part(self, part: str, options: Options) -> EngineSpec:
        """The spec of one model of the chain. Raises EngineError where its weights are not to be had."""
        weights = self._spec.weights
        match weights.kind:
            case "random":
                shape = architectures.load(weights.architecture or "")
                if part not in shape.parts:
                    raise EngineError(
                        f"{shape.name} has no part for {part}, so it is not a voice chain.",
                        "Choose an architecture that has recognition, text and speech.",
                    )
                own = Weights(kind="random", architecture=shape.parts[part])
            case "path":
                own = Weights(kind="path", path=str(Path(weights.path or "", part)))
            case _:
                raise EngineError(
                    f"{self._spec.model} is three models, and the hub gives one.",
                    "Download them into recognition, text and speech of one folder: --weights path:DIR.",
                    missing=True,
                )
        return replace(self._spec, model=f"{self._spec.model} ({part})", weights=own, options=options)

    def _assumed_ratio(self) -> float | None:
        """Tokens of a word that the text model with random weights is taken to need; `None` for real ones."""
        if self._spec.weights.kind != "random":
            return None
        text = architectures.load(architectures.load(self._spec.weights.architecture or "").parts["text"])
        assert text.tokens_per_word is not None, "every text model states it"
        return text.tokens_per_word.value

    def _memory_bytes(self, parts: dict[str, LoadedModel]) -> int | None:
        """On CUDA what is allocated after the last part; on a CPU the parts' own, added up."""
        if any(name.startswith("cuda") for name in self._spec.devices):
            return parts["speech"].memory_bytes
        own = [ready.memory_bytes for ready in parts.values()]
        return None if None in own else sum(size for size in own if size is not None)


def _by_part(parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {f"{part}.{name}": value for part, own in parts.items() for name, value in own.items()}
