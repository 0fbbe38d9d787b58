"""Units of output and the bundled prompts they are made from.

A page is 250 words (the manuscript page of Tomlinson et al. 2024). The prompt sets are versioned files in
`bench/data/prompts`; their SHA-256 is part of a case, so changed prompts are a different case.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import yaml

WORDS_PER_PAGE = 250

PROMPT_FILES = {"page": "pages.yaml", "image": "images.yaml"}


@dataclass(frozen=True)
class PromptSet:
    """An ordered set of prompts; `sha256` covers the texts in their order."""

    name: str
    version: int
    sha256: str
    texts: tuple[str, ...]


@cache
def prompts(unit: Literal["page", "image"]) -> PromptSet:
    """The bundled prompts for a unit."""
    name = PROMPT_FILES[unit]
    raw = yaml.safe_load((resources.files("bench.data") / "prompts" / name).read_text(encoding="utf-8"))
    texts = tuple(str(entry["text"]) for entry in raw["prompts"])
    digest = hashlib.sha256("\x00".join(texts).encode()).hexdigest()
    return PromptSet(name=name.removesuffix(".yaml"), version=int(raw["version"]), sha256=digest, texts=texts)
