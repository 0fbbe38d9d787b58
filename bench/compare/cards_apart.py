"""Names of the cards of records that would else be alike: the same case on two cards of one machine.

cards_apart(labels, records)     # ["GPU 0", "GPU 1", ""]: the third label is of one card alone
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

from bench.compare.comparison import Comparison
from bench.compare.identity import card
from bench.core.measurement import Measurement


def cards_apart(keys: Sequence[Hashable], records: Sequence[Measurement]) -> list[str]:
    """For each record its cards, where another with the same key and machine is of other cards; else empty.

    Also empty where the indices do not differ: a card was changed for another since.
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for at, (key, record) in enumerate(zip(keys, records, strict=True)):
        groups[key, record.machine.id, record.machine.name].append(at)
    names = [""] * len(records)
    for places in groups.values():
        if len({card(records[at]) for at in places}) > 1:
            found = {at: cards_of(records[at]) for at in places}
            if len(set(found.values())) > 1:
                for at, name in found.items():
                    names[at] = name
    return names


def cards_of(record: Measurement) -> str:
    """`GPU 0, 1`: the metered cards by their indices on the machine; empty without any, or over nodes."""
    if record.machine.nodes:
        return ""
    indices = [gpu.index for gpu in record.machine.metered_gpus if gpu.index is not None]
    return f"GPU {', '.join(map(str, sorted(indices)))}" if indices else ""


def card_names(record: Measurement) -> str | None:
    """`2 × NVIDIA H200`: the metered cards by their names; `None` without any."""
    names = Counter(str(gpu.name) for gpu in record.machine.metered_gpus if gpu.name)
    return ", ".join(name if n == 1 else f"{n} × {name}" for name, n in sorted(names.items())) or None


def cards_described(record: Measurement) -> str:
    """`GPU 0, 1: 2 × NVIDIA H200`: indices and names of the metered cards, as far as they are known."""
    return ": ".join(filter(None, (cards_of(record), card_names(record))))


def comparison_labels(comparisons: Sequence[Comparison]) -> list[str]:
    """Labels of comparisons; equal ones gain the cards of B, where these are of one machine."""
    cards = cards_apart([each.label for each in comparisons], [each.b.record for each in comparisons])
    return [
        ", ".join(filter(None, (each.label, card))) for each, card in zip(comparisons, cards, strict=True)
    ]
