"""Questions to a council: members answer, rank one another's answers without names, a chairman concludes.

A council of n members makes 2n + 1 calls a question. The unit is the question, however long its texts are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.core.modality import CountedOutput, Flag, Modality, NewTokens, Options, PartAlone, UnitCount


class CouncilOptions(Options):
    """Lengths of the three stages: `new_tokens` of each answer, of each ranking, of the conclusion."""

    new_tokens: NewTokens
    ranking_tokens: NewTokens
    conclusion_tokens: NewTokens

    @property
    def size(self) -> str:
        """`340 tokens 200 ranking 340 conclusion`."""
        lengths = f"{self.ranking_tokens} ranking {self.conclusion_tokens} conclusion"
        return f"{self.new_tokens} tokens {lengths}"

    def read_again_tokens(self, parts: int) -> int:
        """All answers and rankings, which the chairman reads, and its conclusion."""
        return (parts - 1) * (self.new_tokens + self.ranking_tokens) + self.conclusion_tokens


def count(output: CountedOutput) -> UnitCount:
    """Questions."""
    return UnitCount(output.items)


def one_answer(options: Mapping[str, Any]) -> PartAlone:
    """A text of an answer's length by one member."""
    return PartAlone("text", {"new_tokens": options["new_tokens"]}, "one answer")


MODALITY = Modality(
    name="council",
    order=10,
    unit="question",
    plural="questions to a council",
    options=CouncilOptions,
    count=count,
    prompts="questions.yaml",
    packages=("torch", "transformers", "accelerate"),
    flags=(
        Flag("new_tokens", "tokens an item, exactly."),
        Flag("ranking_tokens", "tokens of each ranking, exactly."),
        Flag("conclusion_tokens", "tokens of the conclusion, exactly."),
    ),
    part_alone=one_answer,
)
