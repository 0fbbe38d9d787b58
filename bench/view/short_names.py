"""Short labels of records: model and machine, with the words in which equal ones differ.

    short_labels(found)     # {digest: "sdxl · H100 80GB HBM3"}; two batches: "sdxl batch 4 · H100 80GB HBM3"

Nothing is cut from the end: what differs between two records may be there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from bench.compare.cards_apart import cards_apart
from bench.compare.record_set import Kind, StoredRecord
from bench.view.content import clean

MAKERS = re.compile(
    r"\b(NVIDIA|AMD|Intel(?:\(R\))?|GeForce|Tesla|Radeon|Core\(TM\)|Xeon\(R\)|CPU @ [\d.]+GHz)\s*", re.I
)
LONGEST = 60


def machine_name(name: str) -> str:
    """A machine without its maker: `H100 80GB HBM3`."""
    short = clean(MAKERS.sub("", name), LONGEST)
    return short or clean(name, LONGEST)


def short_labels(
    found: Sequence[StoredRecord[Kind]], machines: Mapping[str, str] | None = None
) -> Mapping[str, str]:
    """A label for each digest, unique among them; `machines` has other names of machines, by digest."""
    names = machines or {}
    bases = {each.digest: _base(each, names.get(each.digest)) for each in found}
    groups: dict[tuple[str, str], list[StoredRecord[Kind]]] = defaultdict(list)
    for each in found:
        groups[bases[each.digest]].append(each)
    labels: dict[str, str] = {}
    for (model, machine), alike in groups.items():
        differing = _differing([clean(str(each.record.label), 200) for each in alike])
        of_work = [" ".join((model, *(word for word in words if word != model))) for words in differing]
        cards = cards_apart(of_work, [each.record for each in alike])
        for each, work, card in zip(alike, of_work, cards, strict=True):
            labels[each.digest] = " · ".join(filter(None, (work, f"{machine} {card}".strip())))
    return _numbered(labels)


def _base(found: StoredRecord[Kind], machine: str | None) -> tuple[str, str]:
    return clean(found.record.work_name, LONGEST), machine or machine_name(str(found.record.machine.name))


def _differing(texts: Sequence[str]) -> list[list[str]]:
    """Words of each text that not all of them have."""
    words = [text.split() for text in texts]
    common = set.intersection(*map(set, words)) if len(words) > 1 else set(words[0])
    return [[word for word in each if word not in common] for each in words]


def _numbered(labels: Mapping[str, str]) -> dict[str, str]:
    """Equal labels with their number behind them."""
    total, seen = Counter(labels.values()), Counter[str]()
    numbered = {}
    for digest, label in labels.items():
        seen[label] += 1
        numbered[digest] = label if total[label] == 1 else f"{label} ({seen[label]})"
    return numbered
