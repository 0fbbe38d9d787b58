"""From a catalogue's case to what an engine needs; the two rooms do not know each other."""

from __future__ import annotations

from dataclasses import replace

from bench.catalog.cases import Case
from bench.engines import architectures
from bench.engines.base import EngineSpec, ImageOptions, Ready, TextOptions, WeightsSpec
from bench.errors import UsageError
from bench.runner.devices import Placement


def with_architecture(case: Case) -> Case:
    """The case with the fingerprint and tokens per word of its random weights, known before the run."""
    name = case.weights.architecture
    if case.weights.kind != "random" or name is None:
        return case
    shape = architectures.load(name)
    ratio = shape.tokens_per_word.value if shape.tokens_per_word else None
    weights = replace(case.weights, fingerprint=architectures.fingerprint(name))
    return replace(case, weights=weights, tokens_per_word=ratio if case.model.unit == "page" else None)


def with_revision(case: Case, ready: Ready) -> Case:
    """The case with the commit or fingerprint of the weights that were really loaded."""
    if case.weights.kind == "hub" and ready.revision:
        return replace(case, weights=replace(case.weights, revision=ready.revision))
    if case.weights.kind == "path":
        return replace(case, weights=replace(case.weights, fingerprint=ready.revision))
    return case


def engine_spec(case: Case, placement: Placement, remote_code: frozenset[str]) -> EngineSpec:
    """Everything the engine needs. Raises UsageError for a case that lacks a size."""
    weights = WeightsSpec(
        kind=case.weights.kind,
        hub_id=case.weights.hub_id,
        revision=case.weights.revision,
        variant=case.weights.variant,
        path=case.weights.path,
        architecture=case.weights.architecture,
        trust_remote_code=case.name in remote_code,
    )
    devices: tuple[str, ...] = ("cpu",)
    if placement.device == "cuda":
        devices = tuple(f"cuda:{index}" for index in range(placement.spread_over))
    work = case.work
    return EngineSpec(
        model=case.name,
        weights=weights,
        options=_text(case) if case.model.engine == "text" else _image(case),
        dtype=work.dtype or "bfloat16",
        batch=work.batch or 1,
        devices=devices,
        seed=work.seed or 0,
    )


def _text(case: Case) -> TextOptions:
    work = case.work
    if work.new_tokens is None:
        raise UsageError(
            f'"{case.name}" has no length.', "Give --new-tokens, or set new_tokens in models.yaml."
        )
    return TextOptions(
        new_tokens=work.new_tokens,
        prompt_format=case.model.prompt_format,
        attention=work.attention,
        static_cache=bool(work.static_cache),
        compile=bool(work.compile),
        compile_mode=work.compile_mode,
        sdpa_kernel=work.sdpa_kernel,
    )


def _image(case: Case) -> ImageOptions:
    work = case.work
    if work.width is None or work.height is None or work.steps is None:
        raise UsageError(
            f'"{case.name}" has no size or steps.', "Give --size and --steps, or set them in models.yaml."
        )
    return ImageOptions(
        width=work.width,
        height=work.height,
        steps=work.steps,
        guidance=work.guidance,
        scheduler=work.scheduler,
        attention=work.attention,
        compile=bool(work.compile),
        compile_mode=work.compile_mode,
        compile_blocks=bool(work.compile_blocks),
        sdpa_kernel=work.sdpa_kernel,
        channels_last=bool(work.channels_last),
        fuse_qkv=bool(work.fuse_qkv),
        text_tokens=work.text_tokens,
    )
