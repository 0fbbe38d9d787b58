"""Reasoning before an answer: whether a chat template has it, and which of the new tokens it is.

    found = template_reasoning(tokenizer)            # "switched", "always" or None
    markers = Markers.of(tokenizer, opened=True)     # the template has written <think> already
    markers.split(ids)                               # Split(reasoning=412, answer=[...], ended=True)

Templates take the switch as `enable_thinking` (Qwen) or `thinking` (DeepSeek V3.1); both are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from bench.core.modalities.text import TextOptions
from bench.engines.base import EngineSpec
from bench.engines.limits import text as limits
from bench.errors import EngineError

HARMONY = "<|channel|>"
"""Token of gpt-oss' format, whose template has no switch: it always reasons."""
_PAIRS = {
    "<think>": ("<think>", "</think>"),
    "[THINK]": ("[THINK]", "[/THINK]"),
    HARMONY: (f"{HARMONY}analysis<|message|>", f"{HARMONY}final<|message|>"),
}
"""Start and end of reasoning, by a token that a tokenizer with this format has."""


class Split(NamedTuple):
    """New tokens of an item: how many are reasoning, its markers included, and those of the answer."""

    reasoning: int
    answer: list[int]
    ended: bool
    """Whether the reasoning ended, or never began."""


@dataclass(frozen=True)
class Markers:
    """Token ids around reasoning. `opened`: the prompt ends in the start, so new tokens begin inside."""

    start: tuple[int, ...]
    end: tuple[int, ...]
    opened: bool

    @staticmethod
    def of(tokenizer: Any, *, opened: bool) -> Markers | None:
        """Those of a tokenizer; `None` where it has none of the known ones."""
        pair = _pair(tokenizer)
        if pair is None:
            return None
        start, end = (tuple(tokenizer(mark, add_special_tokens=False)["input_ids"]) for mark in pair)
        return Markers(start, end, opened)

    def split(self, ids: Sequence[int]) -> Split:
        """Reasoning and answer of one item's new tokens."""
        if not self.opened and _find(ids, self.start) is None:
            return Split(0, list(ids), ended=True)
        end = _find(ids, self.end)
        if end is None:
            return Split(len(ids), [], ended=False)
        after = end + len(self.end)
        return Split(after, list(ids[after:]), ended=True)


def reasoning_of(
    spec: EngineSpec, options: TextOptions, tokenizer: Any
) -> tuple[dict[str, str], Markers | None]:
    """Whether the model reasons, for the record, and by which tokens. Raises EngineError where it cannot."""
    if options.reasoning:
        limits.check_random(spec)
    known = None if options.prompt_format == "plain" else template_reasoning(tokenizer)
    if options.reasoning and known is None:
        raise limits.without_switch(spec.model, options)
    if known is None or (known == "switched" and not options.reasoning):
        return ({} if known is None else {"reasoning": "off"}), None
    written = chat(tokenizer, "A", reasoning=options.reasoning)
    markers = Markers.of(tokenizer, opened=opens(tokenizer, written))
    if markers is None:
        raise EngineError(
            f"{spec.model} reasons, and its tokenizer has none of the known markers around that.",
            "Leave out --reasoning, or use another model.",
        )
    return {"reasoning": "on" if known == "switched" else "always"}, markers


def template_reasoning(tokenizer: Any) -> Literal["switched", "always"] | None:
    """Whether a chat template switches reasoning on and off, always has it, or does not know it (`None`)."""
    plain, reasoned = (chat(tokenizer, "A", reasoning=wanted) for wanted in (False, True))
    if plain != reasoned:
        return "switched"
    if opens(tokenizer, plain) or HARMONY in tokenizer.get_vocab():
        return "always"
    return None


def chat(tokenizer: Any, prompt: str, *, reasoning: bool) -> str:
    """A prompt in the chat template, up to where the model begins to write."""
    written: str = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        # A template without the switch ignores both.
        enable_thinking=reasoning,
        thinking=reasoning,
    )
    return written


def opens(tokenizer: Any, written: str) -> bool:
    """Whether a prompt ends inside reasoning that the template has begun."""
    pair = _pair(tokenizer)
    return pair is not None and written.rfind(pair[0]) > written.rfind(pair[1])


def _pair(tokenizer: Any) -> tuple[str, str] | None:
    known = tokenizer.get_vocab()
    return next((pair for token, pair in _PAIRS.items() if token in known), None)


def _find(ids: Sequence[int], wanted: Sequence[int]) -> int | None:
    """Where these ids first stand in a row."""
    length = len(wanted)
    places = range(len(ids) - length + 1)
    return next((at for at in places if tuple(ids[at : at + length]) == tuple(wanted)), None)
