"""Our own count of a text's tokens, by the tokenizer file of the model, without torch or transformers.

counter = token_counter("/models/x/tokenizer.json", weights)
counter.count("Dear reader") if counter else counter.reason
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.core.weights import Weights

FILE = "tokenizer.json"


class TokenCounter:
    """Counts tokens as the model's tokenizer splits them; false without a tokenizer, with a `reason`."""

    def __init__(self, tokenizer: Any, reason: str | None = None) -> None:
        self._tokenizer = tokenizer
        self.reason = reason

    def __bool__(self) -> bool:
        return self._tokenizer is not None

    def count(self, text: str) -> int:
        """Tokens of a text, without special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def token_counter(named: str | None, weights: Weights) -> TokenCounter:
    """The counter of a named file, of a folder with weights, or of a model in the hub's cache."""
    path = Path(named) if named else _file_of(weights)
    if path is None:
        return TokenCounter(None, "no tokenizer of this model is on this machine")
    if weights.kind == "random" and not named:
        return TokenCounter(None, "text of random weights is not split again into the tokens it was made of")
    try:
        from tokenizers import Tokenizer

        return TokenCounter(Tokenizer.from_file(str(path)))
    except ImportError:
        return TokenCounter(None, "the package tokenizers is not installed")
    except Exception as error:  # noqa: BLE001 - the library raises its own bare Exception
        return TokenCounter(None, f"{path.name} cannot be read: {str(error)[:120]}")


def _file_of(weights: Weights) -> Path | None:
    if weights.kind == "path" and weights.path:
        file = Path(weights.path) / FILE
        return file if file.is_file() else None
    if weights.kind != "hub" or not weights.hub_id:
        return None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(weights.hub_id, FILE, revision=weights.revision)
    return Path(found) if isinstance(found, str) else None
