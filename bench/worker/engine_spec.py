"""Conversion of a catalogue's case to an engine's spec; the two rooms do not import each other."""

from __future__ import annotations

from dataclasses import replace

from bench.catalog.cases import Case
from bench.catalog.prompts import prompts
from bench.engines.base import EngineSpec, LoadedModel
from bench.engines.weights import architectures
from bench.machine.placement import Placement


def with_architecture(case: Case) -> Case:
    """The case with the fingerprint and tokens per word of its random weights, known before the run."""
    name = case.weights.architecture
    if case.weights.kind != "random" or name is None:
        return case
    shape = architectures.load(name)
    ratio = prompts(case.model.engine, case.options).tokens_per_word
    if ratio is None and shape.tokens_per_word is not None:
        ratio = shape.tokens_per_word.value
    weights = case.weights.with_fingerprint(architectures.fingerprint(name))
    ratio = ratio if case.modality.words_per_unit else None
    return replace(case, weights=weights, tokens_per_word=ratio)


def with_revision(case: Case, ready: LoadedModel) -> Case:
    """The case with the commit or fingerprint of the weights that were really loaded."""
    if case.weights.kind == "hub" and ready.revision:
        return replace(case, weights=case.weights.at_revision(ready.revision))
    if case.weights.kind == "path":
        return replace(case, weights=case.weights.with_fingerprint(ready.revision))
    return case


def engine_spec(case: Case, placement: Placement, remote_code: frozenset[str]) -> EngineSpec:
    """Everything the engine needs."""
    return EngineSpec(
        model=case.name,
        weights=case.weights,
        options=case.options,
        dtype=case.dtype,
        batch=case.batch,
        devices=placement.torch_devices,
        seed=case.seed,
        trust_remote_code=case.name in remote_code,
    )
