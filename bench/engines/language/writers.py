"""The text model of a part: loaded here, or asked at its server; its length changes from call to call."""

from __future__ import annotations

from typing import Protocol

from bench.engines.base import Engine, EngineSpec, GeneratedBatch
from bench.engines.language.endpoint_text import EndpointTextEngine
from bench.engines.text import create as create_text


class Writer(Engine, Protocol):
    """A text engine with what cases of several calls need beside its life."""

    def set_length(self, new_tokens: int) -> None:
        """Set the length of the items made, or inspected, from now on."""

    def texts(self, made: GeneratedBatch) -> list[str]:
        """The text of each item."""

    def count_tokens(self, text: str) -> int | None:
        """Tokens of a text; `None` where the model's tokenizer is not here."""


def writer_of(part: EngineSpec) -> Writer:
    """The text model of a part."""
    if part.server is not None:
        return EndpointTextEngine(part, part.server)
    return create_text(part)
