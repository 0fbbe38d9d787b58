"""Pages of text. A page is 250 words, the manuscript page of Tomlinson et al. 2024."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar, Literal

from bench.core.modality import (
    QUANTIZATION,
    CountedOutput,
    Flag,
    Keys,
    Modality,
    NewTokens,
    TorchOptions,
    UnitCount,
)

WORDS_PER_PAGE = 250
PageKind = Literal["story", "news", "advertisement", "script", "summary", "poem", "quatrain", "quatrain-zh"]
"""What is written, where that is one kind of text alone; each has prompts of its own."""
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_CHINESE_MARKS = re.compile("[\u3000-\u303f\uff01-\uff0f\uff1a-\uff20]")


class TextOptions(TorchOptions):
    """Options of a page. Every item gets exactly `new_tokens` tokens; end-of-sequence is ignored."""

    only_if_set: ClassVar[frozenset[str]] = TorchOptions.only_if_set | {"kind", "reasoning", "prompts"}
    of_model: ClassVar[frozenset[str]] = frozenset({"prompt_format"})
    variants: ClassVar[Keys] = (
        "attention",
        "sdpa_kernel",
        "static_cache",
        "compile",
        "compile_mode",
        "quantization",
    )

    new_tokens: NewTokens
    static_cache: bool = False
    prompt_format: Literal["plain", "chat"] = "plain"
    kind: PageKind | None = None
    """`None` for writing tasks of many kinds."""
    reasoning: bool = False
    """Whether the model reasons before it writes; its reasoning is part of `new_tokens` and of no page."""

    prompts: str | None = None
    """A file with prompts of the user's own, in place of the bundled ones."""

    @property
    def size(self) -> str:
        """`48 tokens`, `2048 tokens story reasoning`."""
        own = f"prompts {Path(self.prompts).stem}" if self.prompts else None
        named = (f"{self.new_tokens} tokens", self.kind, "reasoning" if self.reasoning else None, own)
        return " ".join(filter(None, named))

    @property
    def prompt_file(self) -> str | None:
        """The prompts of one kind of page, or the user's own."""
        if self.prompts:
            return str(Path(self.prompts).resolve())
        return f"{self.kind}.yaml" if self.kind else None

    def identity(self) -> dict[str, Any]:
        """The options with the name of a file of prompts; its content is in the case beside them."""
        own = {"prompts": Path(self.prompts).stem} if self.prompts else {}
        return super().identity() | own


def count_words(text: str) -> int:
    """Words between blanks; each Chinese character is one, and punctuation of full width none."""
    return len(_CHINESE.sub(r" \g<0> ", _CHINESE_MARKS.sub(" ", text)).split())


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
        QUANTIZATION,
        Flag("kind", "one kind of page, with prompts of its own."),
        Flag("reasoning", "let the model reason before it writes."),
        Flag("prompts", "a file with prompts of your own.", metavar="FILE"),
    ),
    defaults=frozenset({"new_tokens", "static_cache", "compile"}),
    words_per_unit=WORDS_PER_PAGE,
)
