"""Pages of text. A page is 250 words, the manuscript page of Tomlinson et al. 2024."""

from __future__ import annotations

from typing import ClassVar, Literal

from bench.core.modality import CountedOutput, Flag, Keys, Modality, NewTokens, TorchOptions, UnitCount

WORDS_PER_PAGE = 250


class TextOptions(TorchOptions):
    """Options of a page. Every item gets exactly `new_tokens` tokens; end-of-sequence is ignored."""

    of_model: ClassVar[frozenset[str]] = frozenset({"prompt_format"})
    variants: ClassVar[Keys] = (
        "attention",
        "sdpa_kernel",
        "static_cache",
        "compile",
        "compile_mode",
    )

    new_tokens: NewTokens
    static_cache: bool = False
    prompt_format: Literal["plain", "chat"] = "plain"

    @property
    def size(self) -> str:
        """`48 tokens`."""
        return f"{self.new_tokens} tokens"


def count(output: CountedOutput) -> UnitCount:
    """Pages of the words counted in the text, or, with random weights, of tokens over an assumed ratio."""
    if output.tokens_per_word is not None:
        words = output.tokens / output.tokens_per_word
        return UnitCount(words / WORDS_PER_PAGE, words, "assumed")
    if output.words is None:
        return UnitCount(None)
    return UnitCount(output.words / WORDS_PER_PAGE, output.words, "counted")


MODALITY = Modality(
    name="text",
    order=1,
    unit="page",
    plural="pages",
    options=TextOptions,
    count=count,
    prompts="pages.yaml",
    packages=("torch", "transformers", "accelerate"),
    flags=(
        Flag("new_tokens", "tokens an item, exactly."),
        Flag("static_cache", "preallocate the cache."),
    ),
    defaults=frozenset({"new_tokens", "static_cache", "compile"}),
    words_per_unit=WORDS_PER_PAGE,
)
