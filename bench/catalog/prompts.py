"""The bundled prompts that output is made from.

The prompt sets are versioned files in `bench/data/prompts`, one a modality and one a kind of page; their
SHA-256 is part of a case, so changed prompts are a different case.

    prompts("text", TextOptions(new_tokens=54, kind="quatrain")).texts
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from bench.core import modalities
from bench.core.modality import Options
from bench.core.untrusted import text_in, yaml_of
from bench.errors import UsageError

PROMPTS_FORM = "Name a file of `prompts: [{text: ...}]`."
TRACE_FORM = "Name a trace of `tasks` (docs/councils-agents.md), such as bench/data/prompts/agent-tasks.yaml."


@dataclass(frozen=True)
class PromptSet:
    """An ordered set of prompts; `sha256` covers the texts in their order."""

    name: str
    version: int
    sha256: str
    texts: tuple[str, ...]
    tokens_per_word: float | None = None
    """Assumed ratio of what they ask for, where it is not English; only used with random weights."""


class _Prompt(BaseModel):
    text: str | int | float | bool
    """Words; YAML takes a bare `yes` or `12` for another type."""


class _PromptFile(BaseModel):
    """A file of prompts, of an agent's tasks, or of one task for each text of another file."""

    version: int = 1
    prompts: list[_Prompt] = []
    tasks: list[dict[str, Any]] = []
    about: str | None = None
    task: str | None = None
    tokens_per_word: float | None = None


def prompts(modality: str, options: Options | None = None) -> PromptSet:
    """The bundled prompts of a modality by its name, or those that the options of a case ask for."""
    own = options.prompt_file if options is not None else None
    bundled = modalities.get(modality).prompts
    if own is None:
        return _read(bundled)
    try:
        return _read(own)
    except UsageError as error:
        of_tasks = bool(_content(bundled).tasks)
        raise UsageError(error.message, TRACE_FORM if of_tasks else error.remedy) from error


@cache
def _read(name: str) -> PromptSet:
    raw = _content(name)
    texts = tuple(str(entry.text) for entry in raw.prompts)
    if raw.tasks:  # what an agent is given is more than a text: the engine reads it
        try:
            texts = tuple(json.dumps(task, sort_keys=True, ensure_ascii=False) for task in raw.tasks)
        except TypeError as error:  # YAML has keys and values that JSON has not
            raise UsageError(f"{name}: a task is not plain text and numbers: {error}.", TRACE_FORM) from error
    if raw.about is not None:  # the same task for each text of another file
        texts = tuple(f"{raw.task}\n\n{text}" for text in _read(raw.about).texts)
    if not texts:
        raise UsageError(f"{Path(name).name} has no prompts.", "Write them as `prompts: [{text: ...}]`.")
    digest = hashlib.sha256("\x00".join(texts).encode()).hexdigest()
    return PromptSet(Path(name).stem, raw.version, digest, texts, raw.tokens_per_word)


def _content(name: str) -> _PromptFile:
    """A bundled file, or the user's own by its whole path. Raises UsageError with what is wrong with it."""
    try:
        raw = yaml_of(text_in(Path(str(resources.files("bench.data") / "prompts" / name))))
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}.", PROMPTS_FORM) from error
    except ValueError as error:
        raise UsageError(f"{name}: neither YAML nor JSON: {' '.join(str(error).split())[:120]}.") from error
    try:
        return _PromptFile.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(f"{name}: {at}: {first['msg']}.", PROMPTS_FORM) from error
