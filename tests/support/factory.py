"""Sample records with plain defaults, for every test that needs one.

record()                                      # five valid blocks of 300 J on one GPU, one page each
record(blocks=[block(gpu_j=310.0), ...])      # figures are derived from the blocks given
record(status="failed", blocks=[], failure={"stage": "load", "message": "no such revision"})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bench.catalog.identity import case_hash
from bench.core.block import Block, Idle
from bench.core.energy import DomainEnergy, DomainKind
from bench.core.figures import Carbon
from bench.core.record import Record
from bench.core.repetition import StopInfo
from bench.core.served import ServedWindow
from bench.stats.figures import derive

GPU = "gpu:GPU-00000000-1111-2222-3333-444444444444"
CPU = "cpu:package-0"
RAM = "ram-estimate"

SECOND_NS = 1_000_000_000

CARBON = Carbon(intensity_g_per_kwh=360.0, country="USA", year=2023, source="a table of grid factors")


def case(**changes: Any) -> dict[str, Any]:
    """A case as it stands in a record; its hash follows from the changes unless it is one of them."""
    mapping: dict[str, Any] = {
        "model": "bloom-560m",
        "identity_version": 1,
        "engine": "text",
        "unit": "page",
        "words_per_unit": 250,
        "tokens_per_word": None,
        "weights": {
            "kind": "hub",
            "hub_id": "bigscience/bloom-560m",
            "revision": "ac2ae5fab2ce3f9f40dc79b5ca9f637430d24971",
            "variant": None,
            "architecture": None,
            "fingerprint": None,
        },
        "dtype": "bfloat16",
        "batch": 1,
        "seed": 0,
        "attention": None,
        "compile": False,
        "prompts": {"name": "pages", "version": 1, "sha256": "0" * 64},
        "options": {"new_tokens": 340, "prompt_format": "plain", "static_cache": False},
    } | changes
    return {"hash": case_hash(mapping)} | mapping


def energy(
    gross_j: float | None,
    net_j: float | None = None,
    kind: DomainKind = "measured",
    reason: str | None = None,
) -> DomainEnergy:
    """One domain's energy, read off a counter."""
    return DomainEnergy(gross_j=gross_j, net_j=net_j, source="counter", kind=kind, reason=reason)


def block(
    gpu_j: float | None = 300.0,
    *,
    seconds: float = 30.0,
    units: float | None = 1.0,
    items: int = 1,
    energies: Mapping[str, DomainEnergy] | None = None,
    warmup: bool = False,
    valid: bool = True,
    **more: Any,
) -> Block:
    """One block of `seconds` on one GPU that idles at 2 W; `energies` replaces what was metered."""
    net_j = None if gpu_j is None else gpu_j - 2.0 * seconds
    edges = {"start_ns": SECOND_NS, "end_ns": SECOND_NS + round(seconds * SECOND_NS)}
    return Block(
        batches=items,
        items=items,
        units=units,
        warmup=warmup,
        valid=valid,
        energy=dict(energies) if energies is not None else {GPU: energy(gpu_j, net_j)},
        **(edges | more),
    )


def served_window(start: int | None = None, **more: Any) -> ServedWindow:
    """A window of a server with one request at a time, of one of its starts."""
    facts: dict[str, Any] = {"finished": 9, "open_at_start": 1, "open_at_end": 1, "running": 1.0}
    return ServedWindow.model_validate(
        {"window": "single", "start": start, "prompts_unique": True} | facts | more
    )


def blocks() -> list[Block]:
    """A warm-up and five repeats: 300 J a page on average, 290 to 310."""
    warm = block(500.0, warmup=True)
    return [warm, *(block(joules) for joules in (290.0, 295.0, 300.0, 305.0, 310.0))]


def record(
    *,
    status: Literal["ok", "invalid", "failed"] = "ok",
    blocks: Sequence[Block] | None = None,
    carbon: Carbon | None = CARBON,
    label: str = "bloom-560m bfloat16 batch 1",
    **more: Any,
) -> Record:
    """A whole record; its figures are derived from its blocks."""
    kept = _default_blocks() if blocks is None else list(blocks)
    facts: dict[str, Any] = {
        "created": "2026-01-31T12:00:00Z",
        "case": case(),
        "engine": {
            "parameters": {"model": 559214592},
            "dtypes": {"model": "bfloat16"},
            "used": {"attention": "sdpa"},
        },
        "idle": {GPU: Idle(power_w=2.0, sd_w=0.1, before=1.9, after=2.1, kind="measured")},
        "ended": StopInfo(by="target", target=0.05, max_seconds=900.0, achieved=0.033, warmup_by="steady"),
        "machine": {"name": "NVIDIA Sample 1a2b3c4d", "id": "1a2b3c4d", "device": "cuda"},
        "provenance": {"command": "python -m bench run bloom-560m", "libraries": {"torch": "2.9.0"}},
        "absent": {CPU: "this user may not read it"},
    }
    return Record(
        status=status,
        label=label,
        blocks=kept,
        figures=derive(kept, carbon),
        carbon=carbon,
        **(facts | more),
    )


_default_blocks = blocks
