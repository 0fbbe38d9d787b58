"""The bundled prompts that output is made from.

The prompt sets are versioned files in `bench/data/prompts`, one a modality and one a kind of page; their
SHA-256 is part of a case, so changed prompts are a different case.

    prompts("text", TextOptions(new_tokens=54, kind="quatrain")).texts
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import yaml

from bench.core import modalities
from bench.core.modality import Options


@dataclass(frozen=True)
class PromptSet:
    """An ordered set of prompts; `sha256` covers the texts in their order."""

    name: str
    version: int
    sha256: str
    texts: tuple[str, ...]
    tokens_per_word: float | None = None
    """Assumed ratio of what they ask for, where it is not English; only used with random weights."""


def prompts(modality: str, options: Options | None = None) -> PromptSet:
    """The bundled prompts of a modality by its name, or those that the options of a case ask for."""
    own = options.prompt_file if options is not None else None
    return _read(own or modalities.get(modality).prompts)


@cache
def _read(name: str) -> PromptSet:
    raw = yaml.safe_load((resources.files("bench.data") / "prompts" / name).read_text(encoding="utf-8"))
    texts = tuple(str(entry["text"]) for entry in raw["prompts"]) if "prompts" in raw else ()
    if "about" in raw:  # the same task for each text of another file
        texts = tuple(f"{raw['task']}\n\n{text}" for text in _read(raw["about"]).texts)
    digest = hashlib.sha256("\x00".join(texts).encode()).hexdigest()
    return PromptSet(Path(name).stem, int(raw["version"]), digest, texts, raw.get("tokens_per_word"))
