"""Identity of a record: fields that must be alike for a comparison, and their differences.

Identity is what stays from run to run: the case, scope and meters, the card and its limit, driver and
libraries that decide how the work is done, dtype and kernels really used. Observations (temperature, clocks,
load, time) are never looked at here, so that no comparison trips over them; nor are warm-up and invalid
blocks, nor the commit of the code under test, which is what people compare.

    [difference.sentence for difference in differences(base, head)]     # ["dtype: bfloat16, float32"]
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.catalog.identity import differing
from bench.compare.metrics import headline_domains
from bench.core.measurement import Measurement
from bench.stats.figures import counting

KERNEL_LIBRARIES = ("torch", "transformers", "diffusers", "accelerate")
"""Libraries that decide which kernels run. Others may change without a reason to refuse."""
CARD_FACTS = ("name", "power_limit_w", "memory_bytes", "max_sm_clock_mhz", "mig")
LONGEST = 60


@dataclass(frozen=True)
class Difference:
    """One key of the identity and its value on either side; `not known` if a record lacks it."""

    key: str
    a: str
    b: str

    @property
    def sentence(self) -> str:
        """`machine.driver: 570.86, 580.65`."""
        return f"{self.key}: {self.a}, {self.b}"


def differences(a: Measurement, b: Measurement, vary: Collection[str] = ()) -> list[Difference]:
    """Differences, each key once. `vary` names keys, or beginnings of keys, that are meant to differ."""
    one, other = a.identity(), b.identity()
    changed = [Difference(key, _text(_at(one, key)), _text(_at(other, key))) for key in differing(one, other)]
    facts_a, facts_b = dict(facts(a)), dict(facts(b))
    for key in sorted(facts_a.keys() | facts_b.keys()):
        left, right = facts_a.get(key), facts_b.get(key)
        if left != right:
            changed.append(Difference(key, _text(left), _text(right)))
    return [difference for difference in changed if not _meant(difference.key, vary)]


def card(record: Measurement) -> str:
    """The cards whose joules were metered, by UUID; the machine's id where none was."""
    return " ".join(sorted(record.machine.metered)) or str(record.machine.id)


OF_ONE_RUN = frozenset({"log"})
"""Keys of `engine.used` that name something of one run alone."""


def facts(record: Measurement) -> Iterator[tuple[str, Any]]:
    """The identity beyond the case, key by key."""
    scope = record.figures.headline_scope
    yield "scope", scope
    yield "kind", record.figures.energy_per_unit_j[scope].kind if scope else None
    yield "meter", _meters(record)
    yield "machine.card", card(record)
    yield "machine.device", record.machine.device
    yield "machine.driver", record.machine.driver
    yield "machine.cuda_driver", record.machine.cuda_driver
    for key in CARD_FACTS:
        yield f"machine.{key}", [getattr(gpu, key) for gpu in record.machine.metered_gpus] or None
    engine = record.engine
    yield "engine.dtypes", engine and engine.dtypes
    yield "engine.parameters", engine and engine.parameters
    for key, value in (engine.used if engine else {}).items():
        if key not in OF_ONE_RUN:
            yield f"engine.used.{key}", value
    libraries = record.provenance.libraries | ((engine.libraries if engine else None) or {})
    for name in KERNEL_LIBRARIES:
        yield f"libraries.{name}", libraries.get(name)
    yield "words", next((block.words_kind for block in counting(record.blocks) if block.words_kind), None)


def _meters(record: Measurement) -> list[str]:
    """The source of most blocks of the headline: a single one that fell back does not change it.

    Only blocks that figures rest on: warm-ups are read without a rest beside them, so by another estimator.
    """
    main_sources, used = set(), counting(record.blocks)
    for domain in headline_domains(record):
        sources = Counter(block.energy[domain].source for block in used if domain in block.energy)
        if sources:
            main_sources.add(f"{domain.partition(':')[0]} from {sources.most_common(1)[0][0]}")
    return sorted(main_sources)


def _at(case: Mapping[str, Any], dotted: str) -> Any:
    value: Any = case
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _meant(key: str, vary: Collection[str]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in vary)


def _text(value: Any) -> str:
    if value is None:
        return "not known"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
