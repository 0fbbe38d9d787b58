"""Language of a text by its commonest words, and Chinese by its characters; enough for whole pages.

language_of("The cat is on the roof of the house.")     # "en"
"""

from __future__ import annotations

import re

COMMONEST = {
    "en": "the of and to in is that it for was on are as with his they at be this have from",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne",
    "es": "de la que el en y a los se del las un por con no una su para es al lo como",
    "it": "di e il la che in un a per è una non con le si da i del al come dei nel",
    "pt": "de a que o e do da em um para é com não uma os no se na por mais as dos",
    "nl": "de van het een en in is dat op te zijn met voor niet aan er om ook als dan",
}
"""Function words, which make up a third of any longer text of their language."""
LEAST_SHARE = 0.12
"""Of the words of a text: below it the language is not known."""
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[^\W\d_]+")
KNOWN = (*COMMONEST, "zh")


def language_of(text: str) -> str | None:
    """The language's two letters, of those in `KNOWN`; `None` where the text does not show one."""
    words = _WORD.findall(text.lower())
    if not words:
        return None
    if len(_CHINESE.findall(text)) > sum(map(len, words)) / 2:
        return "zh"
    shares = {
        name: sum(word in frozenset(listed.split()) for word in words) / len(words)
        for name, listed in COMMONEST.items()
    }
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= LEAST_SHARE else None
