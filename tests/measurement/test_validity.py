"""Each rule marks the block it should, with what was seen, and leaves a good block alone."""

from __future__ import annotations

from typing import Any

import pytest

from bench.core.block import Block, CodeCarbonTask
from bench.core.energy import DomainEnergy
from bench.measurement.validity import RULES, judge

GPU: dict[str, Any] = {"counter_ticks": 300, "throttled_share": {}}


def block(seconds: float = 30.0, **changes: Any) -> Block:
    fields: dict[str, Any] = {
        "start_ns": 0,
        "end_ns": round(seconds * 1e9),
        "batches": 1,
        "items": 1,
        "units": 1.0,
        "warmup": False,
        "valid": True,
        "energy": {"gpu:a": DomainEnergy(gross_j=100.0, source="counter", kind="measured")},
        "observed": {"gpus": {"a": GPU}, "foreign_pids": []},
    }
    return Block(**(fields | changes))


def task(disagreement: float) -> CodeCarbonTask:
    return CodeCarbonTask(duration_s=30, gpu_j=100, cpu_j=1, ram_j=1, carbon_g=1, disagreement=disagreement)


def observed(**changes: Any) -> dict[str, Any]:
    return {"gpus": {"a": GPU | changes}, "foreign_pids": []}


def test_a_good_block_keeps_every_rule() -> None:
    judged = judge(block(codecarbon=task(0.004)))
    assert judged.valid
    assert judged.reasons == []


@pytest.mark.parametrize(
    ("spoilt", "rule", "seen"),
    [
        (
            block(
                energy={"gpu:a": DomainEnergy(gross_j=None, source="counter", kind="measured", reason="lost")}
            ),
            "no reading",
            "lost",
        ),
        (block(observed=observed() | {"problems": ["item 3 holds NaN"]}), "wrong output", "item 3 holds NaN"),
        (block(units=None), "no units", "no unit"),
        (block(units=0.0), "no units", "no unit"),
        (block(observed=observed() | {"foreign_pids": [77]}), "foreign process", "77"),
        (block(observed=observed(throttled_share={"hw-thermal": 0.2})), "throttled", "20%"),
        (block(observed=observed(counter_ticks=4)), "few ticks", "4 times"),
        (block(observed=observed(counter_ticks=None)), "few ticks", "0 times"),
        (block(codecarbon=task(0.02)), "meters disagree", "+2.0%"),
        (block(codecarbon=task(-0.02)), "meters disagree", "-2.0%"),
        (block(observed=observed() | {"longest_sample_gap_s": 2.8}), "stalled", "2.8 s"),
        (block(observed=observed() | {"suspended_s": 61.0}), "suspended", "61.0 s"),
        (block(observed=observed() | {"batch_s": {"median": 1.0, "longest": 4.0}}), "paused", "4.0 s"),
        (block(observed=observed(integrated_instant_j=60.0)), "power disagrees", "-40%"),
        (block(words=10.0, words_kind="counted", tokens=340), "few words", "0.03 words"),
        (block(observed=observed() | {"sample_gap_p99_s": 0.7}), "late sampler", "0.70 s"),
        (block(observed=observed(temperature_drift_k=4.2)), "temperature drift", "+4.2 K"),
        (block(observed=observed(temperature_drift_k=-4.2)), "temperature drift", "-4.2 K"),
        (block(observed=observed(counts_more="mig")), "MIG", "a is split"),
        (block(observed=observed(counts_more="module")), "module counter", "a is part of a Grace module"),
    ],
)
def test_a_broken_rule_is_named_with_what_was_seen(spoilt: Block, rule: str, seen: str) -> None:
    judged = judge(spoilt)
    assert not judged.valid
    (reason,) = judged.reasons
    assert reason.startswith(f"{rule}:")
    assert seen in reason


@pytest.mark.parametrize(
    "kept",
    [
        block(observed=observed(throttled_share={"power-cap": 1.0})),
        block(observed=observed(throttled_share={"sw-thermal": 0.04})),
        block(
            energy={"gpu:a": DomainEnergy(gross_j=1.0, source="power-integration-instant", kind="measured")},
            observed=observed(counter_ticks=None),
        ),
        block(seconds=10.0, codecarbon=task(0.02)),
        block(observed=observed() | {"longest_sample_gap_s": 0.5}),
        block(observed=observed() | {"batch_s": {"median": 5.0, "longest": 9.0}}),
        block(observed=observed() | {"batch_s": {"median": 0.1, "longest": 0.9}}),
        block(observed=observed(integrated_instant_j=97.0)),
        block(words=250.0, words_kind="counted", tokens=340),
        block(observed=observed(temperature_drift_k=1.0) | {"sample_gap_p99_s": 0.06}),
        block(
            energy={
                "gpu:a": DomainEnergy(gross_j=100.0, source="power-integration-instant", kind="measured")
            },
            observed=observed(counts_more="module"),
        ),
        block(
            energy={
                "gpu:a": DomainEnergy(gross_j=100.0, source="counter", kind="measured"),
                "dram:0": DomainEnergy(gross_j=None, source="rapl", kind="measured", reason="did not move"),
            }
        ),
    ],
    ids=[
        "at its power limit",
        "briefly warm",
        "no counter to tick",
        "short windows may differ more",
        "no row for half a second",
        "batches of different length",
        "short batches may vary more",
        "power a little off",
        "250 words",
        "a kelvin warmer, a sample a little late",
        "a module's power, which is the GPU's own",
        "a dead side domain",
    ],
)
def test_what_is_no_fault_is_left_alone(kept: Block) -> None:
    assert judge(kept).valid


def test_every_reason_that_applies_is_kept() -> None:
    judged = judge(block(units=None, observed=observed(counter_ticks=1)))
    assert len(judged.reasons) == 2


def test_every_rule_says_what_it_means_and_what_to_do() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.meaning and rule.remedy for rule in RULES)


@pytest.mark.parametrize(("edge_u_j", "valid"), [(None, True), (1.9, True), (2.1, False)])
def test_a_block_is_set_aside_for_its_own_uncertainty_and_not_for_the_plain_difference(
    edge_u_j: float | None, valid: bool
) -> None:
    energy = DomainEnergy(
        gross_j=100.0, source="counter-padded", kind="measured", plain_j=60.0, edge_u_j=edge_u_j
    )
    judged = judge(block(energy={"gpu:a": energy}))
    assert judged.valid is valid
    assert valid or judged.reasons[0].startswith("edges uncertain")


def test_few_ticks_are_no_fault_of_a_reading_that_states_what_its_edges_leave() -> None:
    energy = DomainEnergy(gross_j=100.0, source="counter-padded", kind="measured", edge_u_j=0.1)
    few = observed(counter_ticks=4)
    assert judge(block(energy={"gpu:a": energy}, observed=few)).valid
    plain = energy.model_copy(update={"source": "counter"})
    assert judge(block(energy={"gpu:a": plain}, observed=few)).reasons[0].startswith("few ticks")


@pytest.mark.parametrize(("common_u_j", "named"), [(0.1, False), (2.9, True)])
def test_an_unknown_delay_is_named_where_it_is_what_spoils_a_block(common_u_j: float, named: bool) -> None:
    energy = DomainEnergy(
        gross_j=100.0, source="counter-padded", kind="measured", edge_u_j=3.0, edge_common_u_j=common_u_j
    )
    (reason,) = judge(block(energy={"gpu:a": energy})).reasons
    assert ("how late its counter publishes" in reason) is named


def test_codecarbon_may_err_by_the_ticks_of_a_short_window() -> None:
    """A plain difference of 1 s is off by up to a tick at either edge; ours is not."""
    assert judge(block(seconds=1.0, codecarbon=task(-0.1))).valid
