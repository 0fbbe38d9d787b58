"""Pages of text from a causal language model (transformers), each of exactly the length asked for.

A cap is not a length: a model that may stop when it likes makes 40 tokens of an asked-for 333, and a joule
per page from it means nothing. So end-of-sequence ids are taken out of the generation settings, decoding
is greedy (the same work each time), and `inspect` checks the length of what came.

Inside the window: tokenising the prompts, prefill, decode, token ids back on the host. Outside: counting.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import LogitsProcessorList

from bench.core.modalities.text import TextOptions, count_words
from bench.engines.base import EngineSpec, GeneratedBatch, LoadedModel, OutputCheck
from bench.engines.device import kernels, placed
from bench.engines.device.failures import translated
from bench.engines.device.one_model import OneModelEngine
from bench.engines.device.phases import FirstToken, PhaseClock
from bench.engines.device.read_back import loaded_model
from bench.engines.device.saved_texts import save_texts
from bench.engines.language import repetition, text_loading
from bench.engines.language.reasoning import Split, chat
from bench.engines.limits.text import check_room


@dataclass(frozen=True)
class Pages:
    """Output of `generate` for `inspect`, one entry an item: new token ids, and two facts about the prompt.

    `nan_logits` is whether the model's scores after the prompt had a NaN, which greedy decoding would
    turn into tokens that look like any others.
    """

    token_ids: list[list[int]]
    prompt_tokens: tuple[int, ...]
    nan_logits: tuple[bool, ...]


def create(spec: EngineSpec) -> TextEngine:
    """The engine for a spec with `TextOptions`."""
    assert isinstance(spec.options, TextOptions), "chosen by the type of the options"
    return TextEngine(spec, spec.options)


class TextEngine(OneModelEngine[text_loading.LoadedTextModel]):
    """One causal language model on its devices."""

    def __init__(self, spec: EngineSpec, options: TextOptions) -> None:
        super().__init__(spec)
        self._options = options
        self._clock = PhaseClock(spec.devices)

    def load(self) -> LoadedModel:
        """Bring model and tokenizer onto the devices. Raises EngineError(stage="load")."""
        start = time.monotonic()
        with translated("load", self._spec), placed.quiet():
            loaded = text_loading.load(self._spec, self._options)
            placed.synchronise(self._spec.devices)
        self._loaded = loaded
        load_s = time.monotonic() - start
        return loaded_model(self._spec, {"model": loaded.model}, loaded.used, loaded.revision, load_s)

    def set_length(self, new_tokens: int) -> None:
        """Set the length of the items made, or inspected, from now on: of one model in several stages."""
        self._options = self._options.model_copy(update={"new_tokens": new_tokens})
        settings = self._ready().model.generation_config
        settings.max_new_tokens = settings.min_new_tokens = new_tokens

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the prompt with the most tokens, as the tokenizer counts them with its template."""
        tokenizer = self._ready().tokenizer
        with translated("load", self._spec), placed.quiet():
            counts = [self._encode(tokenizer, [prompt])["input_ids"].shape[1] for prompt in prompts]
        return counts.index(max(counts))

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:  # noqa: ARG002 - greedy
        """One page a prompt, all of them together as one batch.

        `seed` changes nothing: greedy decoding draws no numbers. Raises EngineError(stage="generate").
        """
        loaded = self._ready()
        model, tokenizer = loaded.model, loaded.tokenizer
        kernel = kernels.only(self._options.sdpa_kernel)
        with translated("generate", self._spec), placed.quiet(), kernel:
            self._clock.clear()
            start_ns = self._clock.now()
            encoded = self._encode(tokenizer, prompts).to(model.device)
            self._check_room(model, encoded["input_ids"].shape[1])
            first = FirstToken(self._clock)
            self._clock.begin("prefill", time.monotonic_ns())
            cache = {}
            if loaded.cache is not None:
                length = encoded["input_ids"].shape[1] + self._options.new_tokens
                cache["past_key_values"] = loaded.cache.emptied(len(prompts), length)
            ids = model.generate(
                input_ids=encoded["input_ids"],
                attention_mask=encoded["attention_mask"],
                logits_processor=LogitsProcessorList([first]),
                **cache,
            )
            new_ids = ids[:, encoded["input_ids"].shape[1] :].tolist()
            end_ns = self._clock.now()
            self._clock.finish("decode", end_ns)
            lengths = tuple(int(n) for n in encoded["attention_mask"].sum(dim=1).tolist())
        pages = Pages(new_ids, lengths, first.nan_items())
        return GeneratedBatch(start_ns, end_ns, len(prompts), self._clock.phases(), pages)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Tokens, those of reasoning, and words of each page. Raises EngineError(stage="finish")."""
        pages: Pages = made.payload
        markers = self._ready().markers
        with translated("finish", self._spec):
            parts = [markers.split(ids) if markers else Split(0, ids, ended=True) for ids in pages.token_ids]
            words = tuple(count_words(self._text(part.answer)) for part in parts)
        real = self._spec.weights.kind != "random"
        problems = [
            sentence
            for i, part in enumerate(parts)
            for sentence in self._problems(i, pages, part, words[i] if real else None)
        ]
        if self._options.compile and self._options.static_cache and not self._decode_was_compiled():
            problems.append("The decode step was to be compiled, and transformers left it as it is.")
        return OutputCheck(
            tokens=tuple(len(ids) for ids in pages.token_ids),
            words=words if real else None,
            prompt_tokens=pages.prompt_tokens,
            problems=tuple(problems),
            reasoning_tokens=tuple(part.reasoning for part in parts) if markers else None,
        )

    def _problems(self, item: int, pages: Pages, part: Split, words: int | None) -> Iterator[str]:
        """What is wrong with an item; `words` is `None` where none can be expected."""
        asked, count = self._options.new_tokens, len(pages.token_ids[item])
        if count != asked:
            yield f"Item {item} has {count} tokens, {asked} were asked for."
        if pages.nan_logits[item]:
            yield f"Item {item}: the model's scores are NaN."
        if not part.ended:
            yield f"Item {item}: the reasoning did not end within {count} tokens; ask for more --new-tokens."
        elif words == 0:
            yield f"Item {item} has no words."
        elif words is not None and (length := repetition.phrase(pages.token_ids[item])):
            yield f"Item {item} repeats a phrase of {length} tokens from beginning to end."

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each page as `<stem>-<i>.txt`."""
        return save_texts(self.texts(made), folder, stem)

    def texts(self, made: GeneratedBatch) -> list[str]:
        """The whole text of each item, reasoning before a page included."""
        pages: Pages = made.payload
        return [self._text(ids) for ids in pages.token_ids]

    def count_tokens(self, text: str) -> int | None:
        """Tokens of a text by the model's own tokenizer."""
        return len(self._ready().tokenizer(text, add_special_tokens=False)["input_ids"])

    def _text(self, ids: Sequence[int]) -> str:
        text: str = self._ready().tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def _decode_was_compiled(self) -> bool:
        """transformers compiles on its own terms, and where they are not met it only logs a warning."""
        return hasattr(self._ready().model, "_compiled_call")

    def _encode(self, tokenizer: Any, prompts: Sequence[str]) -> Any:
        if self._options.prompt_format == "plain":
            return tokenizer(list(prompts), padding=True, return_tensors="pt")
        texts = [chat(tokenizer, prompt, reasoning=self._options.reasoning) for prompt in prompts]
        # The template has written the special tokens already.
        return tokenizer(texts, padding=True, return_tensors="pt", add_special_tokens=False)

    def _check_room(self, model: Any, prompt_tokens: int) -> None:
        """Refuse a length beyond the model's positions; on a GPU it would end in an assert without a name."""
        config = model.config.get_text_config()
        limit = getattr(config, "max_position_embeddings", None)
        wanted = prompt_tokens + self._options.new_tokens
        check_room(self._spec.model, limit, wanted, stage="generate")
