"""Conversion of a catalogue's case to an engine's spec; the two rooms do not import each other."""

from __future__ import annotations

from dataclasses import replace

from bench.catalog.cases import Case, CasePart
from bench.catalog.prompts import prompts
from bench.catalog.server_spec import ServerSpec
from bench.engines.base import EngineSpec, LoadedModel, ServerAccess
from bench.engines.weights import architectures
from bench.errors import EngineError
from bench.machine.placement import Placement
from bench.worker.serving.address import parse


def with_architecture(case: Case) -> Case:
    """The case with the fingerprint and tokens per word of its random weights, known before the run."""
    if case.parts:
        parts = {key: replace(part, case=with_architecture(part.case)) for key, part in case.parts.items()}
        return replace(case, parts=parts)
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
    if case.parts:
        parts = {
            key: replace(
                part, case=with_revision(part.case, replace(ready, revision=ready.part_revisions.get(key)))
            )
            for key, part in case.parts.items()
        }
        return replace(case, parts=parts)
    if case.weights.kind == "hub" and ready.revision:
        return replace(case, weights=case.weights.at_revision(ready.revision))
    if case.weights.kind == "path":
        return replace(case, weights=case.weights.with_fingerprint(ready.revision))
    return case


def engine_spec(case: Case, placement: Placement, remote_code: frozenset[str]) -> EngineSpec:
    """Everything the engine needs."""
    parts = {
        key: replace(engine_spec(part.case, placement, remote_code), server=_server(part, placement))
        for key, part in case.parts.items()
    }
    return EngineSpec(
        model=case.name,
        weights=case.weights,
        options=case.options,
        dtype=case.dtype,
        batch=case.batch,
        devices=placement.torch_devices,
        seed=case.seed,
        trust_remote_code=case.name in remote_code,
        parts=parts,
    )


def _server(part: CasePart, placement: Placement) -> ServerAccess | None:
    """Access to the server of a part. Raises EngineError where its joules would not be metered here."""
    if part.endpoint is None:
        return None
    address = parse(part.endpoint, f"endpoint of {part.case.name}")
    if reason := address.elsewhere():
        raise EngineError(
            f"The joules of {part.case.name} are not metered here: {reason}.",
            "Name a server of this machine as its `endpoint`.",
        )
    if not placement.named:
        raise EngineError(
            f"{part.case.name} is at a server, whose cards are not known.", "Name them with --gpus."
        )
    spec, weights = part.case.model.serve or ServerSpec(), part.case.weights
    name = spec.name or weights.hub_id or part.case.name
    if spec.api == "images" or spec.api == "speech":
        raise EngineError(
            f"{part.case.name} is asked for {spec.api}, and this part writes text.", "Name a model that does."
        )
    return ServerAccess(address.url, name, spec.api or "chat", spec.key, spec.extra, spec.answer_seconds)
