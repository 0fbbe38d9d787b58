"""Brings a diffusion pipeline (diffusers) onto the devices, and reads back what was loaded.

pipe, revision = build(spec, options, "image")    # inside failures.translated("load", spec)
arranged = arrange(pipe, spec, options)             # scheduler, attention kernel, variants
call, guidance = call_arguments(pipe, arranged.denoiser, options)
"""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass
from typing import Any, NamedTuple

import diffusers
import torch
import transformers
from accelerate import dispatch_model

from bench.core.diffusion import DiffusionOptions
from bench.engines.base import EngineSpec
from bench.engines.device import placed as device
from bench.engines.device import quantized
from bench.engines.language import stand_in_tokenizer
from bench.engines.limits import torch_options
from bench.engines.limits.refused import refused
from bench.engines.limits.video import check_least_steps
from bench.engines.picture import image_variants, offload, style_adapter
from bench.engines.weights import architectures, hub, random_weights
from bench.errors import EngineError, UsageError

_DENOISERS = ("transformer", "unet")
_FLUX_1 = ("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", "FluxKontextPipeline")
"""Pipelines of which a distilled denoiser takes no guidance."""
_BACKENDS = {
    "sdpa": "native",
    "flash_attention_2": "flash",
    "flash_attention_3": "_flash_3",
    "flex_attention": "flex",
}
"""Names in diffusers of the kernels that the catalogue names as transformers does."""


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline ready to be called. `call` has the arguments that are the same for each batch."""

    pipe: Any
    denoiser: torch.nn.Module
    encoders: tuple[torch.nn.Module, ...]
    call: dict[str, Any]
    revision: str
    used: dict[str, Any]

    @property
    def modules(self) -> dict[str, torch.nn.Module]:
        """The pipeline's neural networks by component name."""
        return networks(self.pipe)


class Arranged(NamedTuple):
    """The networks that mark phases, and the variants in force."""

    denoiser: torch.nn.Module
    encoders: tuple[torch.nn.Module, ...]
    variants: dict[str, Any]


def networks(pipe: Any) -> dict[str, torch.nn.Module]:
    """The neural networks among a pipeline's components."""
    return {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}


def build(spec: EngineSpec, options: DiffusionOptions, kind: str) -> tuple[Any, str, dict[str, Any]]:
    """A pipeline of this modality, its revision, and how it is quantised.

    Its networks are on the first device, spread over several, or on the host to be carried from there. Raises
    EngineError, or the libraries' own errors.
    """
    offload.require(spec, options)
    torch_options.check(options, spec.devices)
    quantized.require(options, spec.devices)
    device.require(spec.devices)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    random = spec.weights.kind == "random"
    home = spec.devices[0] if options.offload is None else "cpu"
    first = quantized.home(options, home)
    pipe, revision = _random(spec, options, kind, first) if random else _published(spec, options, first)
    parts = networks(pipe)
    stored = quantized.quantise([parts[name] for name in parts if _is_quantised(name)], options, spec)
    if stored:
        pipe.to(home)
    pipe.set_progress_bar_config(disable=True)
    if getattr(pipe, "watermark", None) is not None:
        # Drawn on the CPU where a package for it happens to be installed; the same work everywhere.
        pipe.watermark = None
    return pipe, revision, stored


def _is_quantised(name: str) -> bool:
    """Whether a component is among those that are quantised: denoisers and text encoders."""
    return name in _DENOISERS or name.startswith("text_encoder")


def arrange(pipe: Any, spec: EngineSpec, options: DiffusionOptions) -> Arranged:
    """Put scheduler, attention kernel and variants into force. Raises EngineError for what cannot be."""
    parts = networks(pipe)
    strays = device.strays(parts.values(), spec.devices)
    if strays and not options.largest_only:
        raise EngineError(
            f"{spec.model} does not fit: parts of it were put on {', '.join(sorted(strays))}.",
            "Use more devices or a smaller dtype; offloading is not measured.",
            out_of_memory=True,
        )
    denoiser = next((parts[name] for name in _DENOISERS if name in parts), None)
    if denoiser is None or "vae" not in parts:
        raise EngineError(f"{type(pipe).__name__} has no denoiser and VAE, so it cannot be watched.")
    if options.scheduler is not None:
        pipe.scheduler = _scheduler(options.scheduler, pipe.scheduler)
    if options.attention is not None:
        _set_attention(denoiser, options.attention)
    variants = image_variants.arrange(pipe, denoiser, options, spec.devices)
    encoders = tuple(part for name, part in parts.items() if name.startswith("text_encoder"))
    return Arranged(denoiser, encoders, variants)


def _random(spec: EngineSpec, options: DiffusionOptions, kind: str, home: str) -> tuple[Any, str]:
    name = spec.weights.architecture or ""
    shape = architectures.load(name)
    if shape.pipeline is None or shape.scheduler is None or shape.kind != kind:
        raise UsageError(
            f"{name} is not a model of kind {kind}.", f"Choose an architecture of {kind} with a pipeline."
        )
    check_least_steps(shape.pipeline, options.steps)
    dtype: torch.dtype = getattr(torch, spec.dtype)
    parts: dict[str, Any] = {}
    # The largest first, each on the next device: what diffusers does for `device_map="balanced"`.
    own = [part for part in shape.components if part.name != style_adapter.NAME]
    by_size = sorted(own, key=lambda part: part.parameters, reverse=True)
    spread = len(spec.devices) > 1
    placed = {}
    for i, component in enumerate(by_size):
        placed[component.name] = spec.devices[i % len(spec.devices)] if spread else home
        module = random_weights.build(component, dtype, placed[component.name], spec.seed + i)
        if spread:
            module = dispatch_model(module, {"": placed[component.name]}, force_hooks=True)
        parts[component.name] = module
    for tokenizer in shape.tokenizers:
        parts[tokenizer.name] = stand_in_tokenizer.build(tokenizer)
    for role, one in {"scheduler": shape.scheduler, **shape.more_schedulers}.items():
        parts[role] = getattr(diffusers, one.class_name).from_config(dict(one.config))
    pipe = getattr(diffusers, shape.pipeline)(**parts, **shape.arguments)
    if spread:
        pipe.hf_device_map = placed
    return pipe, architectures.fingerprint(name)


def _published(spec: EngineSpec, options: DiffusionOptions, home: str) -> tuple[Any, str]:
    found = hub.locate(spec, "pipeline")
    arguments = dict(found.arguments)
    if len(spec.devices) > 1:
        arguments |= {"device_map": "balanced", "max_memory": device.free_memory(spec.devices)}
    if spec.weights.variant is not None:
        arguments["variant"] = spec.weights.variant
    with hub.downloading():
        # Only named where the pipeline has one: others warn about arguments they do not expect.
        config = diffusers.DiffusionPipeline.load_config(found.name, **found.arguments)
        check_least_steps(config["_class_name"], options.steps)
        if "safety_checker" in config:
            arguments |= {"safety_checker": None, "requires_safety_checker": False}
        pipe = diffusers.DiffusionPipeline.from_pretrained(
            found.name,
            torch_dtype=getattr(torch, spec.dtype),
            use_safetensors=True,
            trust_remote_code=spec.trust_remote_code,
            **arguments,
        )
    return (pipe if len(spec.devices) > 1 else pipe.to(home)), found.revision


def _set_attention(denoiser: Any, kernel: str) -> None:
    """Choose the denoiser's attention kernel. Raises EngineError for one that it cannot use."""
    processors = list(getattr(denoiser, "attn_processors", {}).values())
    switchable = any(hasattr(processor, "_attention_backend") for processor in processors)
    if not switchable and kernel == "sdpa":
        return  # what these processors always use
    if not switchable or kernel not in _BACKENDS:
        raise refused(
            f"{type(denoiser).__name__} cannot use the attention kernel {kernel!r}.",
            f"Known for diffusion transformers: {', '.join(_BACKENDS)}; for a UNet: sdpa.",
        )
    denoiser.set_attention_backend(_BACKENDS[kernel])


def _attention_backends(denoiser: Any) -> list[str]:
    """The kernels the denoiser's attention really goes to, read back from its processors."""
    processors = getattr(denoiser, "attn_processors", {}).values()
    chosen = (getattr(processor, "_attention_backend", None) for processor in processors)
    default = os.environ.get("DIFFUSERS_ATTN_BACKEND", "native")
    return sorted({str(getattr(backend, "value", backend) or default) for backend in chosen})


def _scheduler(name: str, current: Any) -> Any:
    scheduler_class = getattr(diffusers, name, None)
    if scheduler_class is None or not hasattr(scheduler_class, "set_timesteps"):
        raise refused(
            f"diffusers {diffusers.__version__} has no scheduler {name!r}.",
            "Use a class name such as EulerDiscreteScheduler.",
        )
    return scheduler_class.from_config(current.config)


def call_arguments(
    pipe: Any, denoiser: Any, options: DiffusionOptions
) -> tuple[dict[str, Any], float | None]:
    """Arguments of every call of this pipeline, and the guidance in force (`None`: it has none)."""
    accepted = inspect.signature(pipe.__call__).parameters
    sides = {"width": options.width, "height": options.height}
    call: dict[str, Any] = {
        **{side: px for side, px in sides.items() if side in accepted},
        "num_inference_steps": options.steps,
        "output_type": "pt",
    }
    # Some pipelines would swap the size asked for with one they were trained on.
    if "use_resolution_binning" in accepted:
        call["use_resolution_binning"] = False
    if options.text_tokens is not None:
        if "max_sequence_length" not in accepted:
            raise refused(
                f"{type(pipe).__name__} takes no length of prompts.", "Leave text_tokens out of the case."
            )
        call["max_sequence_length"] = options.text_tokens
    # Distilled models take the argument and do nothing with it.
    distilled = getattr(pipe.config, "is_distilled", False) or (
        type(pipe).__name__ in _FLUX_1 and not denoiser.config.guidance_embeds
    )
    if distilled or "guidance_scale" not in accepted:
        return call, None
    if options.guidance is not None:
        call["guidance_scale"] = options.guidance
    return call, float(call.get("guidance_scale", accepted["guidance_scale"].default))


def used(
    spec: EngineSpec, options: DiffusionOptions, pipe: Any, arranged: Arranged, guidance: float | None
) -> dict[str, Any]:
    """Settings in force, read back from the pipeline."""
    denoiser: Any = arranged.denoiser
    processors = getattr(denoiser, "attn_processors", {}).values()
    scheduler = {key: value for key, value in pipe.scheduler.config.items() if not key.startswith("_")}
    found = {
        "pipeline_class": type(pipe).__name__,
        "denoiser_class": type(denoiser).__name__,
        "attention": sorted({type(processor).__name__ for processor in processors}),
        "attention_backend": _attention_backends(denoiser),
        "scheduler": type(pipe.scheduler).__name__,
        "scheduler_config": scheduler,
        "steps": options.steps,
        "guidance": guidance,
        "width": options.width,
        "height": options.height,
        **({} if options.text_tokens is None else {"text_tokens": options.text_tokens}),
        "compile": "denoiser" if options.compile else None,
        "safety_checker": False,
        "tokenizer": "stand-in" if spec.weights.kind == "random" else "published",
        "float32_matmul": device.float32_matmul(),
        "cpu_threads": torch.get_num_threads(),
    }
    if len(spec.devices) > 1:
        found["device_map"] = {name: str(place) for name, place in pipe.hf_device_map.items()}
    return found | arranged.variants
