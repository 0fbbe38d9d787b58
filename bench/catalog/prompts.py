"""The bundled prompts that output is made from.

The prompt sets are versioned files in `bench/data/prompts`, one a modality; their SHA-256 is part of a case,
so changed prompts are a different case.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import yaml

from bench.core import modalities


@dataclass(frozen=True)
class PromptSet:
    """An ordered set of prompts; `sha256` covers the texts in their order."""

    name: str
    version: int
    sha256: str
    texts: tuple[str, ...]


@cache
def prompts(modality: str) -> PromptSet:
    """The bundled prompts of a modality, by its name."""
    name = modalities.get(modality).prompts
    raw = yaml.safe_load((resources.files("bench.data") / "prompts" / name).read_text(encoding="utf-8"))
    texts = tuple(str(entry["text"]) for entry in raw["prompts"])
    digest = hashlib.sha256("\x00".join(texts).encode()).hexdigest()
    return PromptSet(name=Path(name).stem, version=int(raw["version"]), sha256=digest, texts=texts)
