"""Embeddings of text, counted in the pages that were read: 250 words, as a page that is written.

Its unit is not that of text: joules per page read and per page written are two figures, and neither rankings,
gates nor people may set one beside the other.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.core.modalities.text import WORDS_PER_PAGE
from bench.core.modality import CountedOutput, Flag, Modality, Options, UnitCount


class EmbeddingOptions(Options):
    """How a text is read. Every item is exactly `input_tokens` tokens, special ones among them."""

    input_tokens: Annotated[int, Field(ge=3, le=100_000)]

    @property
    def size(self) -> str:
        """`340 tokens read`."""
        return f"{self.input_tokens} tokens read"


def count(output: CountedOutput) -> UnitCount:
    """Pages of the words that went in, or, with random weights, of tokens over an assumed ratio."""
    if output.tokens_per_word is not None and output.prompt_tokens is not None:
        words = output.prompt_tokens / output.tokens_per_word
        return UnitCount(words / WORDS_PER_PAGE, words, "assumed")
    if output.words is None:
        return UnitCount(None)
    return UnitCount(output.words / WORDS_PER_PAGE, output.words, "counted")


MODALITY = Modality(
    name="embedding",
    order=8,
    unit="read_page",
    plural="pages read",
    options=EmbeddingOptions,
    count=count,
    prompts="passages.yaml",
    packages=("torch", "transformers", "accelerate"),
    flags=(Flag("input_tokens", "tokens of an item that is read, exactly."),),
    words_per_unit=WORDS_PER_PAGE,
)
