"""Embeddings of pages from an encoder (transformers): the mean of its last hidden states, one vector a page.

Inside the window: tokenising, the encoder, the mean over a page's tokens, the vectors on the host. Outside:
counting words. Every page has exactly `input_tokens` tokens: a text that is shorter is read again from its
start, a longer one is cut.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bench.core.modalities.embedding import EmbeddingOptions
from bench.core.modalities.text import count_words
from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck
from bench.engines.device import placed
from bench.engines.device.failures import translated
from bench.engines.device.one_model import OneModelEngine
from bench.engines.device.phases import Stages
from bench.engines.device.read_back import loaded_model
from bench.engines.device.saved_texts import save_texts
from bench.engines.device.transformers_model import LoadedTransformersModel
from bench.engines.device.transformers_model import load as load_model
from bench.engines.limits.embedding import check_room

ENCODERS: Mapping[str, str] = {
    f"{family}{head}": f"{family}Model"
    for family in ("Bert", "Roberta", "XLMRoberta", "DistilBert", "ModernBert")
    for head in ("Model", "ForMaskedLM")
}
"""Classes that a file may name, each with the class of its encoder."""


@dataclass(frozen=True)
class Embeddings:
    """What `generate` hands to `inspect`, one entry an item: tokens, the text that they are, the vector."""

    tokens: tuple[int, ...]
    texts: tuple[str, ...]
    vectors: torch.Tensor


def create(spec: EngineSpec) -> EmbeddingEngine:
    """The engine for a spec with `EmbeddingOptions`."""
    assert isinstance(spec.options, EmbeddingOptions), "chosen by the type of the options"
    return EmbeddingEngine(spec, spec.options)


class EmbeddingEngine(OneModelEngine[LoadedTransformersModel]):
    """One encoder on its device."""

    def __init__(self, spec: EngineSpec, options: EmbeddingOptions) -> None:
        super().__init__(spec)
        self._options = options
        self._stages = Stages(spec.devices)

    def load(self) -> LoadedModel:
        """Bring the encoder onto its device. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), placed.quiet():
            placed.require_one(self._spec.devices, self._spec.model)
            loaded = load_model(self._spec, tuple(ENCODERS), ENCODERS)
            self._require_room(loaded)
            placed.synchronise(self._spec.devices)
        self._loaded = loaded
        load_s = time.monotonic() - start
        return loaded_model(self._spec, {"model": loaded.model}, self._used(loaded), loaded.revision, load_s)

    def longest_prompt(self, prompts: Sequence[str]) -> int:  # noqa: ARG002 - the protocol's
        """Index of the first: all items are equally long."""
        return 0

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:  # noqa: ARG002 - nothing drawn
        """One vector a prompt, all of them as one batch. Raises EngineError(stage="generate")."""
        loaded = self._ready()
        with translated("generate", self._spec), placed.quiet(), torch.inference_mode():
            start_ns = self._stages.start()
            self._stages.enter("encoder")
            read = [self._read(loaded.tokenizer, prompt) for prompt in prompts]
            encoded = torch.tensor([ids for ids, _ in read], device=loaded.model.device)
            hidden = loaded.model(input_ids=encoded, attention_mask=torch.ones_like(encoded))
            vectors = hidden.last_hidden_state.mean(dim=1).float().cpu()
            end_ns = self._stages.finish()
        made = Embeddings(tuple(len(ids) for ids, _ in read), tuple(text for _, text in read), vectors)
        return GeneratedBatch(start_ns, end_ns, len(prompts), self._stages.clock.phases(), made)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Tokens and words that each item read. Raises EngineError(stage="finish")."""
        read: Embeddings = made.payload
        problems = [
            f"Item {i} has {count} tokens, {self._options.input_tokens} were asked for."
            for i, count in enumerate(read.tokens)
            if count != self._options.input_tokens
        ]
        finite = torch.isfinite(read.vectors).all(dim=1).tolist()
        problems += [f"Item {i}: its embedding is not finite." for i, fine in enumerate(finite) if not fine]
        real = self._spec.weights.kind != "random"
        return OutputCheck(
            words=tuple(map(count_words, read.texts)) if real else None,
            prompt_tokens=read.tokens,
            problems=tuple(problems),
        )

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each vector as `<stem>-<i>.txt`, a JSON list."""
        read: Embeddings = made.payload
        return save_texts(map(json.dumps, read.vectors.tolist()), folder, stem)

    def _forget(self) -> None:
        self._stages = Stages(self._spec.devices)

    def _read(self, tokenizer: Any, text: str) -> tuple[list[int], str]:
        """Exactly `input_tokens` ids with the special ones, and as much of the repeated text as they are."""
        wanted = self._options.input_tokens
        whole = " ".join([text] * -(-wanted // max(1, len(text.split()))))  # a word is at least one token
        encoded = tokenizer(whole, truncation=True, max_length=wanted, return_offsets_mapping=True)
        end = max(stop for _, stop in encoded["offset_mapping"])
        return encoded["input_ids"], whole[:end]

    def _require_room(self, loaded: LoadedTransformersModel) -> None:
        """Refuse more tokens than the encoder has positions for. Raises EngineError."""
        limits = (loaded.model.config.max_position_embeddings, loaded.tokenizer.model_max_length)
        check_room(self._spec.model, min(limits), self._options.input_tokens)

    def _used(self, loaded: LoadedTransformersModel) -> dict[str, Any]:
        return {
            "model_class": type(loaded.model).__name__,
            "attention": loaded.model.config._attn_implementation,
            "pooling": "mean of the last hidden states",
            "input_tokens": self._options.input_tokens,
            "tokenizer": "stand-in"
            if self._spec.weights.kind == "random"
            else type(loaded.tokenizer).__name__,
            "vocabulary": loaded.model.config.vocab_size,
            "cpu_threads": torch.get_num_threads(),
            "float32_matmul": placed.float32_matmul(),
        }
