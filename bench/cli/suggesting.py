"""The nearest verb to a name that does not exist, by similarity to all verbs' names and lines of help.

    nearest("humans")                   # "footprint people": its line is "List human baselines"
    nearest("sho", within="roofline")   # "roofline show"

Verbs have no aliases: a verb is found by its own words.
"""

from __future__ import annotations

import difflib
import re

from bench.cli.verbs import ALL

NEAR = 0.6
"""Least similarity of a suggestion: half of the letters in common is chance in words of five letters."""
WORD_OF_HELP = 0.8
"""Weight of a word of the help, so that an equally similar name comes first."""


def sentence(typed: str, within: str) -> str:
    """Sentence about an unknown verb, with the command that was probably meant, or with all commands."""
    whole = f"{within} {typed}".strip()
    near = nearest(typed, within)
    if near is not None:
        return f'Unknown command "{whole}". Did you mean `python -m bench {near}`?'
    known = (path for path, verb in ALL.items() if not verb.verbs and path.startswith(within))
    return f'Unknown command "{whole}". Known: {", ".join(known)}.'


def nearest(typed: str, within: str = "") -> str | None:
    """Whole path of the verb most similar to what was typed; of two, the one nearer to the group typed in."""
    typed = typed.lower()
    whole = f"{within} {typed}".strip()
    best = max(ALL, key=lambda path: (_similarity(typed, path), _ratio(whole, path)))
    return best if _similarity(typed, best) >= NEAR else None


def _similarity(typed: str, path: str) -> float:
    """Similarity from 0 to 1: the best of the path, its last word, and the words of its help."""
    words = re.findall(r"[a-z]{4,}", ALL[path].about.lower())
    return max(
        _ratio(typed, path),
        _ratio(typed, path.rpartition(" ")[2]),
        *(WORD_OF_HELP * _ratio(typed, word) for word in words),
    )


def _ratio(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()
