"""Labels that no two rows of a chart share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest


def apart(labels: Sequence[tuple[str, str]]) -> list[str]:
    """Labels with their ids, made unique: equal ones get a distinguishing word of the id in front."""
    ids = defaultdict(list)
    for label, key in labels:
        ids[label].append(key)
    return [f"{_telling(key, ids[label])} {label}" if len(ids[label]) > 1 else label for label, key in labels]


def _telling(key: str, keys: Sequence[str]) -> str:
    """The first words that differ between ids and that no other id has; of a digest as few digits as do."""
    words = [each.split(".") for each in keys]
    differ = [n for n, found in enumerate(zip_longest(*words)) if len(set(found)) > 1]
    for count in range(1, len(differ) + 1):
        for longest in (None,) if "." in key else (5, None):
            texts = [_words(each, differ[:count], longest) for each in keys]
            mine = _words(key, differ[:count], longest)
            if texts.count(mine) == 1:
                return mine
    return key[:5]  # the same id twice


def _words(key: str, places: Iterable[int], longest: int | None) -> str:
    """Words of an id at some places, each cut to a length."""
    words = key.split(".")
    return " ".join(words[n][:longest] for n in places if n < len(words))
