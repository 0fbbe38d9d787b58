"""Bring one model of transformers onto its device: MusicGen, Bark, VITS, SpeechT5, Whisper.

loaded = load(spec, ("WhisperForConditionalGeneration",))     # inside failures.translated("load", spec)
loaded.model.generate(...)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoTokenizer

from bench.core.weights import Weights
from bench.engines.base import EngineSpec
from bench.engines.device import placed
from bench.engines.language import stand_in_tokenizer
from bench.engines.weights import architectures, hub, random_weights
from bench.errors import EngineError


@dataclass(frozen=True)
class LoadedTransformersModel:
    """A model with its tokenizer. `generation` are settings that random weights have no file for."""

    model: Any
    tokenizer: Any
    revision: str
    name: str | None = None
    """Arguments of `from_pretrained` for the files beside the model; `None` for random weights."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)

    def tokens(self, text: str) -> int:
        """Tokens of a text, uncut."""
        return len(self.tokenizer(text)["input_ids"])


def is_pipeline(weights: Weights) -> bool:
    """Whether these are a diffusers pipeline's weights and not one model's."""
    match weights.kind:
        case "random":
            return architectures.load(weights.architecture or "").pipeline is not None
        case "path":
            return Path(weights.path or "", "model_index.json").is_file()
    return hub.has_file(weights, "model_index.json")


def load(
    spec: EngineSpec, classes: Sequence[str], as_class: Mapping[str, str] | None = None
) -> LoadedTransformersModel:
    """Load what `spec` names, which is of one of these classes.

    `as_class` names the class that is built in place of one that a file was saved as. Raises EngineError, or
    the libraries' own errors for `failures` to map.
    """
    placed.require(spec.devices)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if spec.weights.kind == "random":
        return _random(spec, classes)
    found = hub.locate(spec)
    remote = {"trust_remote_code": spec.trust_remote_code, **found.arguments}
    with hub.downloading():
        config = AutoConfig.from_pretrained(found.name, **remote)
        name = next(iter(config.architectures or ()), type(config).__name__)
        _require_class(spec, name, classes)
        tokenizer = AutoTokenizer.from_pretrained(found.name, **remote)
        built = (as_class or {}).get(name, name)
        model: Any = getattr(transformers, built).from_pretrained(
            found.name,
            dtype=getattr(torch, spec.dtype),
            use_safetensors=True,
            **({} if spec.weights.variant is None else {"variant": spec.weights.variant}),
            **found.arguments,
        )
    model = model.eval().to(spec.devices[0])
    return LoadedTransformersModel(model, tokenizer, found.revision, found.name, found.arguments)


def load_component(spec: EngineSpec, name: str, class_name: str) -> Any:
    """A network of `spec` beside its main one, in a repository or a folder of its own.

    Raises EngineError, or the libraries' own errors for `failures` to map.
    """
    dtype: torch.dtype = getattr(torch, spec.dtype)
    if spec.weights.kind == "random":
        shape = architectures.load(spec.weights.architecture or "")
        component = next(part for part in shape.components if part.name == name)
        return random_weights.build(component, dtype, spec.devices[0], spec.seed + 1)
    found = hub.locate_component(spec, name)
    with hub.downloading():
        model: Any = getattr(transformers, class_name).from_pretrained(
            found.name, dtype=dtype, use_safetensors=True, **found.arguments
        )
    return model.eval().to(spec.devices[0])


def _random(spec: EngineSpec, classes: Sequence[str]) -> LoadedTransformersModel:
    name = spec.weights.architecture or ""
    shape = architectures.load(name)
    _require_class(spec, shape.pipeline or next((one.class_name for one in shape.components), name), classes)
    component = next(part for part in shape.components if part.name == "model")
    dtype: torch.dtype = getattr(torch, spec.dtype)
    model = random_weights.build(component, dtype, spec.devices[0], spec.seed)
    tokenizer = stand_in_tokenizer.build(shape.tokenizers[0])
    return LoadedTransformersModel(
        model, tokenizer, architectures.fingerprint(name), generation=shape.generation
    )


def _require_class(spec: EngineSpec, name: str, classes: Sequence[str]) -> None:
    if name not in classes:
        raise EngineError(
            f"{spec.model} is a {name}, and this engine runs {', '.join(classes)}.",
            "Give it the engine in models.yaml that makes what the model makes.",
        )
