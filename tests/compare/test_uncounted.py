"""Warm-up, invalid blocks and waiting change neither identity, figures nor verdict."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from bench.compare import gate
from bench.compare.comparison import compare
from bench.compare.identity import facts
from bench.compare.metrics import METRICS
from bench.core.block import Block, Idle
from bench.core.energy import DomainEnergy
from bench.core.observed import StartConditions
from bench.core.record import Record
from bench.measurement.build_record import _idle_drift
from bench.stats import uncertainty
from tests.compare.sides import side
from tests.support.factory import CPU, GPU, block, energy, record
from tests.support.sample import pair, run

Status = int


def padded(joules: float, **more: Any) -> Block:
    """A measured block as a run makes it: read free of the counter's tick."""
    read = DomainEnergy(gross_j=joules, net_j=joules - 60, source="counter-padded", kind="measured")
    return block(energies={GPU: read}, words_kind="counted", **more)


def uncounted(chance: random.Random, *, warmup: bool) -> Block:
    """A block that no figure rests on, unlike the others in every way that a block can be."""
    read = chance.choice(
        [
            energy(chance.uniform(1, 900), 1.0),
            energy(None, reason="the counter went back"),
            DomainEnergy(gross_j=7.0, source="power-integration-instant", kind="measured"),
            DomainEnergy(gross_j=7.0, source="codecarbon", kind="estimated"),
        ]
    )
    more = {CPU: energy(50.0, 1.0)} if chance.random() < 0.5 else {}
    return block(
        energies={GPU: read} | more,
        seconds=chance.uniform(0.5, 90),
        units=chance.choice([None, 1.0, 40.0]),
        words_kind=chance.choice([None, "assumed"]),
        tokens=chance.choice([None, 12]),
        warmup=warmup,
        valid=warmup and chance.random() < 0.5,
        observed={"peak_memory": {"used_bytes": chance.randrange(1, 10**12)}},
    )


def disturbed(blocks: Sequence[Block], chance: random.Random) -> list[Block]:
    """The same measured blocks after other warm-ups, between invalid ones, each as long after the other."""
    found = [uncounted(chance, warmup=True) for _ in range(chance.randrange(20))]
    for each in (each for each in blocks if not each.warmup):
        found += [uncounted(chance, warmup=False) for _ in range(chance.randrange(4))]
        waited_ns = chance.randrange(10**11)
        moved = {"start_ns": each.start_ns + waited_ns, "end_ns": each.end_ns + waited_ns}
        found.append(each.model_copy(update=moved))
    return found


def retold(kept: Record, chance: random.Random) -> Record:
    """A record of the same blocks that count."""
    waited = StartConditions(
        temperature_c={GPU: chance.uniform(20, 80)}, waited_s=chance.uniform(0, 600), within_band=False
    )
    blocks, facts_of = disturbed(kept.blocks, chance), ("case", "engine", "machine", "pair", "status")
    return record(blocks=blocks, start=waited, **{name: getattr(kept, name) for name in facts_of})


def outcome(a: Record, b: Record) -> tuple[Any, Status, list[str]]:
    """Verdicts, ratios, and what the gate says."""
    result = compare(side(a, label="a"), side(b, label="b"))
    judged = gate.judge(result, [gate.limit("energy:5%")], [], strict=False)
    (found,) = result.comparisons
    rows = [(row.metric.name, row.verdict, row.ratio, row.p) for row in found.rows]
    return (found.verdict, rows), judged.status, [each.sentence for each in judged.judgements]


@pytest.mark.parametrize("seed", range(40))
def test_identity_figures_and_verdict_rest_on_the_blocks_that_count(seed: int) -> None:
    chance = random.Random(seed)
    sides = [
        record(blocks=[padded(joules * (1 + chance.gauss(0, 0.01))) for _ in range(6)])
        for joules in (300.0, chance.choice([300.0, 336.0]))
    ]
    others = [retold(each, chance) for each in sides]
    for kept, other in zip(sides, others, strict=True):
        assert dict(facts(other)) == dict(facts(kept))
        assert other.figures == kept.figures
        assert uncertainty.of(other) == uncertainty.of(kept)
        assert [each.read(other) for each in METRICS.values()] == [
            each.read(kept) for each in METRICS.values()
        ]
    assert outcome(*others) == outcome(*sides) == outcome(sides[0], others[1]) == outcome(others[0], sides[1])


@pytest.mark.parametrize("seed", range(10))
def test_warm_up_enters_no_ratio_of_a_pair(seed: int) -> None:
    chance = random.Random(seed)
    sides = pair(300.0, 336.0, chance)
    others = [
        each.model_copy(
            update={
                "blocks": [
                    *(uncounted(chance, warmup=True) for _ in range(chance.randrange(9))),
                    *(found for found in each.blocks if not found.warmup),
                ]
            }
        )
        for each in sides
    ]
    assert outcome(*sides)[1] == 1
    assert outcome(others[0], others[1]) == outcome(*sides)


def test_a_regression_is_found_however_long_each_side_warmed_up() -> None:
    """Warm-ups are read from the counter's difference, however many they are."""
    a, b = run(300, random.Random(3)), run(336, random.Random(4))
    a, b = (
        record(blocks=[padded(found.energy[GPU].gross_j or 0.0) for found in each.blocks]) for each in (a, b)
    )
    warmed = record(blocks=[*(block(500.0, warmup=True) for _ in range(8)), *b.blocks])
    verdict, status, sentences = outcome(a, warmed)
    assert (verdict[0], status) == ("worse", 1), sentences


def test_an_invalid_block_neither_makes_nor_hides_a_drift_of_idle() -> None:
    drifting = {GPU: Idle(power_w=25.0, sd_w=0.1, before=20.0, after=30.0, kind="measured")}
    calm = [block(30_000.0)] * 3
    unread = block(energies={GPU: energy(None, reason="lost")}, valid=False)
    assert _idle_drift(drifting, calm) == []
    assert _idle_drift(drifting, [*calm, block(1.0, seconds=900, valid=False)]) == []
    low = [block(300.0)] * 3
    assert len(_idle_drift(drifting, low)) == len(_idle_drift(drifting, [*low, unread])) == 1
