"""The shapes of published models, so that one can be built with random numbers where its weights are missing.

A file `bench/data/architectures/<name>.yaml` lists the components of a model: class, configuration and how
many parameters that must give. Energy depends on the shapes, the dtype and the steps, hardly on the values
of the weights; so the true architecture with random numbers takes very nearly the true energy, and what it
makes is meaningless. Nothing here imports torch.

    arch = load("bloom-560m")
    arch.parameters            # {"model": 559214592}
    fingerprint("bloom-560m")  # changes with anything that changes the work, not with the prose
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from bench.errors import CatalogError, UsageError

_FOLDER = files("bench.data").joinpath("architectures")
_PROSE = ("source", "tokens_per_word")


@dataclass(frozen=True)
class Component:
    """One neural network: a class of `library`, the keyword arguments of its configuration, and its size."""

    name: str
    library: Literal["transformers", "diffusers", "bench.engines.picture.networks"]
    class_name: str
    config: Mapping[str, Any]
    parameters: int


@dataclass(frozen=True)
class TokenizerShape:
    """Shape of a stand-in tokenizer whose sequence lengths are the true ones.

    `style` is which special tokens are around a text: `bpe` none, `clip` start and end, `t5` an end;
    `characters` makes a token of each character with a blank on either side, `spm_char` a token of each
    character, one before them, and an end. `class_name` is the class of
    transformers that a pipeline asks for by its type.
    `vocabulary` is the number of the model's ids, `max_length` the model's own limit in tokens.
    `special` gives the published id of a special token, by its role (`bos`, `eos`, `pad`).
    """

    name: str
    style: Literal["bpe", "clip", "t5", "characters", "spm_char"]
    vocabulary: int
    max_length: int
    special: Mapping[str, int] = field(default_factory=dict)
    class_name: str | None = None


@dataclass(frozen=True)
class SchedulerShape:
    """The noise scheduler of a pipeline: a diffusers class and its configuration."""

    class_name: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class TokensPerWord:
    """Tokens that this model's own tokenizer takes for a word of English, and the source of that number."""

    value: float
    kind: Literal["measured", "assumed"]
    source: str


@dataclass(frozen=True)
class Architecture:
    """A model's shape. `pipeline`, `scheduler` and `arguments` belong to diffusers, `vocabulary` to text.

    `more_schedulers` are those that a pipeline has beside the one that denoises, by their argument's name;
    `generation` are settings of transformers' generation that the published model has and its class lacks;
    `parts` are the architectures of other modalities that a chain is made of.
    """

    name: str
    kind: str
    """The name of the modality."""
    source: str
    components: tuple[Component, ...]
    tokenizers: tuple[TokenizerShape, ...]
    pipeline: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    scheduler: SchedulerShape | None = None
    more_schedulers: Mapping[str, SchedulerShape] = field(default_factory=dict)
    vocabulary: int | None = None
    tokens_per_word: TokensPerWord | None = None
    generation: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, int]:
        """Component name to parameter count, as stated in the file."""
        return {part.name: part.parameters for part in self.components}


def names() -> tuple[str, ...]:
    """Every architecture that can be built, sorted."""
    return tuple(sorted(item.name.removesuffix(".yaml") for item in _FOLDER.iterdir() if _is_yaml(item.name)))


@cache
def load(name: str) -> Architecture:
    """Read one architecture. Raises UsageError for an unknown name, CatalogError for a broken file."""
    content = _content(name)
    try:
        return _parse(name, content)
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"bench/data/architectures/{name}.yaml is incomplete: {error!r}.") from error


@cache
def fingerprint(name: str) -> str:
    """SHA-256 (hex) of everything in the file that changes the work; sources and comments do not count."""
    work = {key: value for key, value in _content(name).items() if key not in _PROSE}
    if "parts" in work:
        work["parts"] = {part: fingerprint(of) for part, of in work["parts"].items()}
    return hashlib.sha256(json.dumps(work, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _is_yaml(file_name: str) -> bool:
    return file_name.endswith(".yaml")


@cache
def _content(name: str) -> Mapping[str, Any]:
    if name not in names():
        raise UsageError(f"Unknown architecture {name!r}.", f"Known: {', '.join(names())}.")
    content = yaml.safe_load(_FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise CatalogError(f"bench/data/architectures/{name}.yaml is not a mapping.")
    return content


def _parse(name: str, content: Mapping[str, Any]) -> Architecture:
    ratio = content.get("tokens_per_word")
    scheduler = content.get("scheduler")
    return Architecture(
        name=name,
        kind=content["kind"],
        source=content["source"],
        components=_components(content),
        tokenizers=tuple(TokenizerShape(part, **body) for part, body in content["tokenizers"].items()),
        pipeline=content.get("pipeline"),
        arguments=content.get("arguments", {}),
        scheduler=SchedulerShape(scheduler["class"], scheduler["config"]) if scheduler else None,
        more_schedulers={
            part: SchedulerShape(body["class"], body["config"])
            for part, body in content.get("more_schedulers", {}).items()
        },
        vocabulary=content.get("vocabulary"),
        tokens_per_word=TokensPerWord(**ratio) if ratio else None,
        generation=content.get("generation", {}),
        parts=content.get("parts", {}),
    )


def _components(content: Mapping[str, Any]) -> tuple[Component, ...]:
    """The networks of a model; those of a chain are its parts', named `speech.model`."""
    own = [
        Component(name, body["library"], body["class"], body["config"], int(body["parameters"]))
        for name, body in content["components"].items()
    ]
    of_parts = [
        replace(component, name=f"{part}.{component.name}")
        for part, architecture in content.get("parts", {}).items()
        for component in load(architecture).components
    ]
    return (*own, *of_parts)
