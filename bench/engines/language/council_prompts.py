"""Prompts of a council's second and third stage, and the reading of a ranking.

    order = shuffled(4, "0/first/0")                # of the answers for one reader, such as (2, 0, 3, 1)
    prompt = ranking_prompt(question, answers, order)
    read_ranking("RANKING: B, A, D, C", order)      # (0, 2, 1, 3): members, the best first

A reader sees letters and no names, in an order of its own, its own answer among the others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from string import ascii_uppercase

LARGEST = len(ascii_uppercase)
_RANKING = re.compile(r"RANKING:\s*\**\s*([A-Z](?:\s*[,>]\s*[A-Z])*)\b", re.IGNORECASE)


def shuffled(count: int, seed: str) -> tuple[int, ...]:
    """Order in which a reader sees the answers, the same for the same seed."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return tuple(order)


def ranking_prompt(question: str, answers: Sequence[str], order: Sequence[int]) -> str:
    """Task of judging all answers, without names."""
    return (
        "Below are a question and several answers to it. Judge the answers by how right and how helpful they "
        "are. Begin with one line that names them from best to worst by their letters, in this form: "
        f"RANKING: {', '.join(ascii_uppercase[: len(order)])}. Then give your reasons in a few sentences.\n\n"
        f"Question: {question}\n\n{_lettered(answers, order)}"
    )


def conclusion_prompt(question: str, answers: Sequence[str], rankings: Sequence[str]) -> str:
    """Task of the chairman: the best answer, from all answers and what was said of them."""
    judged = "\n\n".join(f"Judgement {number}:\n{text}" for number, text in enumerate(rankings, start=1))
    return (
        "Several experts answered a question and judged one another's answers. Write the one answer that the "
        f"person who asked should get.\n\nQuestion: {question}\n\n"
        f"{_lettered(answers, range(len(answers)))}\n\n{judged}"
    )


def read_ranking(text: str, order: Sequence[int]) -> tuple[int, ...] | None:
    """Members from best to worst by the first ranking in a text; `None` unless it names each once."""
    for found in _RANKING.finditer(text):
        places = [ascii_uppercase.index(letter) for letter in re.findall("[A-Z]", found[1].upper())]
        if sorted(places) == list(range(len(order))):
            return tuple(order[place] for place in places)
    return None


def in_letters(text: str, order: Sequence[int]) -> str:
    """A ranking for the chairman, who sees the answers in the members' order: its line in those letters."""
    ranked = read_ranking(text, order)
    if ranked is None:
        return text
    line = f"RANKING: {', '.join(ascii_uppercase[member] for member in ranked)}"
    return _RANKING.sub(line, text, count=1)


def _lettered(answers: Sequence[str], order: Sequence[int]) -> str:
    return "\n\n".join(
        f"Answer {letter}:\n{answers[i]}" for letter, i in zip(ascii_uppercase, order, strict=False)
    )
