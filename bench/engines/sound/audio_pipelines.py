"""Sound from a diffusion pipeline (diffusers): AudioLDM2, and Stable Audio.

Both denoise a latent and decode it with a VAE. AudioLDM2's is a spectrogram, which a vocoder turns into sound
after that; its latent is as long as the clip. Stable Audio's always has the length that the model was trained
on, and what was not asked for is cut off: `could_make_s` is how long its clips could be for the same work.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from typing import Any

import diffusers
import torch
import transformers

from bench.core.modalities.audio import AudioOptions
from bench.engines.base import EngineSpec
from bench.engines.device import placed
from bench.engines.device.phases import Stages
from bench.engines.language import stand_in_tokenizer
from bench.engines.limits import audio as limits
from bench.engines.picture.pipelines import networks
from bench.engines.sound.clip_engine import Maker
from bench.engines.weights import architectures, hub, random_weights
from bench.errors import EngineError

ENCODERS = {
    # The one of CLAP is called by its text half, and its tower for sound only ranks finished clips.
    "AudioLDM2Pipeline": ("text_encoder.text_model", "text_encoder_2", "language_model"),
    "StableAudioPipeline": ("text_encoder", "projection_model"),
}
"""The pipelines that are known here, and the networks of each that turn a prompt into numbers."""


def load(spec: EngineSpec, options: AudioOptions, stages: Stages) -> Maker:
    """The pipeline of `spec`. Raises EngineError, or the libraries' own errors for `failures` to map."""
    placed.require(spec.devices)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    pipe, revision = _random(spec) if spec.weights.kind == "random" else _published(spec)
    pipe.set_progress_bar_config(disable=True)
    name = type(pipe).__name__
    if name not in ENCODERS:
        raise EngineError(
            f"{spec.model} is a {name}, and this engine runs {' and '.join(ENCODERS)}.",
            "Give it the engine in models.yaml that makes what the model makes.",
        )
    limits.check_steps(spec.model, options.steps, denoises=True)
    for path in ENCODERS[name]:
        stages.watch(_part(pipe, path), "text_encoder")
    denoiser = pipe.unet if hasattr(pipe, "unet") else pipe.transformer
    stages.watch(denoiser, "denoise")
    stages.watch(pipe.vae, "vae", "decode")
    call, facts = _stable_audio(pipe, options) if name == "StableAudioPipeline" else _audioldm2(pipe, options)
    if options.guidance is not None:
        call["guidance_scale"] = options.guidance
    if name == "AudioLDM2Pipeline":
        stages.watch(pipe.vocoder, "vocoder")

    def make(prompts: Sequence[str], seed: int) -> torch.Tensor:
        place = pipe._execution_device
        generators = [torch.Generator(place).manual_seed(seed + i) for i in range(len(prompts))]
        done = pipe(prompt=list(prompts), generator=generators, output_type="pt", **call)
        samples: torch.Tensor = done.audios
        return samples if samples.dim() == 3 else samples[:, None]

    used = _used(pipe, denoiser, call) | facts
    rate_hz = facts["rate_hz"]
    return Maker(
        make,
        networks(pipe),
        lambda text: len(pipe.tokenizer(text)["input_ids"]),
        rate_hz,
        1.5 / rate_hz,
        revision,
        used,
        steps=options.steps or 0,
    )


def _stable_audio(pipe: Any, options: AudioOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    rate_hz = pipe.vae.config.sampling_rate
    could_make_s = pipe.transformer.config.sample_size * pipe.vae.hop_length / rate_hz
    limits.check_longest(type(pipe).__name__, could_make_s, options.seconds)
    call = {"audio_end_in_s": options.seconds, "num_inference_steps": options.steps}
    return call, {"rate_hz": rate_hz, "could_make_s": could_make_s}


def _audioldm2(pipe: Any, options: AudioOptions) -> tuple[dict[str, Any], dict[str, Any]]:
    vocoder = pipe.vocoder.config
    frame_s = math.prod(vocoder.upsample_rates) / vocoder.sampling_rate
    limits.check_shortest(type(pipe).__name__, frame_s, int(options.seconds / frame_s))
    call = {"audio_length_in_s": options.seconds, "num_inference_steps": options.steps}
    return call, {"rate_hz": vocoder.sampling_rate}


def _used(pipe: Any, denoiser: Any, call: dict[str, Any]) -> dict[str, Any]:
    scheduler = {key: value for key, value in pipe.scheduler.config.items() if not key.startswith("_")}
    own = inspect.signature(pipe.__call__).parameters["guidance_scale"].default
    return {
        "pipeline_class": type(pipe).__name__,
        "denoiser_class": type(denoiser).__name__,
        "scheduler": type(pipe.scheduler).__name__,
        "scheduler_config": scheduler,
        "steps": call["num_inference_steps"],
        "guidance": call.get("guidance_scale", own),
    }


def _part(pipe: Any, path: str) -> Any:
    part = pipe
    for name in path.split("."):
        part = getattr(part, name)
    return part


def _random(spec: EngineSpec) -> tuple[Any, str]:
    name = spec.weights.architecture or ""
    shape = architectures.load(name)
    assert shape.pipeline is not None, "asked before"
    assert shape.scheduler is not None, "asked before"
    dtype: torch.dtype = getattr(torch, spec.dtype)
    # First, because it may need a package that is not installed.
    scheduler = getattr(diffusers, shape.scheduler.class_name)
    parts: dict[str, Any] = {"scheduler": scheduler.from_config(dict(shape.scheduler.config))}
    for i, component in enumerate(shape.components):
        parts[component.name] = random_weights.build(component, dtype, spec.devices[0], spec.seed + i)
    parts |= {tokenizer.name: stand_in_tokenizer.build(tokenizer) for tokenizer in shape.tokenizers}
    return getattr(diffusers, shape.pipeline)(**parts, **shape.arguments), architectures.fingerprint(name)


def _published(spec: EngineSpec) -> tuple[Any, str]:
    found = hub.locate(spec, "pipeline")
    arguments: dict[str, Any] = {"torch_dtype": getattr(torch, spec.dtype)}
    if spec.weights.variant is not None:
        arguments["variant"] = spec.weights.variant
    with hub.downloading():
        config = diffusers.DiffusionPipeline.load_config(found.name, **found.arguments)
        if config.get("language_model", ("", ""))[1] == "GPT2Model":
            # Published before transformers took generation out of the bare class, which the pipeline needs.
            arguments["language_model"] = transformers.GPT2LMHeadModel.from_pretrained(
                found.name,
                subfolder="language_model",
                dtype=getattr(torch, spec.dtype),
                use_safetensors=True,
                **found.arguments,
            )
        pipe = diffusers.DiffusionPipeline.from_pretrained(
            found.name,
            use_safetensors=True,
            trust_remote_code=spec.trust_remote_code,
            **arguments,
            **found.arguments,
        )
    return pipe.to(spec.devices[0]), found.revision
