"""Brings an image pipeline (diffusers) onto the devices, and makes ready what its task takes beside a text.

loaded = load(spec, options)     # inside failures.translated("load", spec)
loaded.pipe(**loaded.inputs(["A cat"]), **loaded.call)
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
from PIL import Image

from bench.core.modalities.image import ImageOptions
from bench.engines.base import EngineSpec
from bench.engines.limits import image as limits
from bench.engines.limits.refused import refused
from bench.engines.picture import drawn, offload, pipelines, style_adapter
from bench.errors import EngineError

InputBuilder = Callable[[Sequence[str]], dict[str, Any]]

_DERIVED = {
    "image-to-image": ("AutoPipelineForImage2Image", "Img2Img"),
    "inpaint": ("AutoPipelineForInpainting", "Inpaint"),
    "style": ("AutoPipelineForImage2Image", "Img2Img"),
}
"""Tasks that the networks of a text-to-image model can do, too: what makes the pipeline, and its name."""
_TAKES = {
    None: ({"prompt"}, {"strength", "mask_image", "image_guidance_scale", "noise_level"}),
    "image-to-image": ({"prompt", "image", "strength"}, {"mask_image"}),
    "inpaint": ({"prompt", "image", "mask_image"}, set()),
    "instruction": ({"prompt", "image"}, {"strength", "noise_level"}),
    "upscale": ({"prompt", "image"}, {"strength", "image_guidance_scale"}),
    "style": ({"prompt", "image", "strength", "ip_adapter_image"}, {"mask_image"}),
    "class": ({"class_labels"}, set()),
}
"""Arguments that a pipeline for a task has, and those that it has not."""


@dataclass(frozen=True)
class LoadedImagePipeline(pipelines.LoadedPipeline):
    """An image pipeline. `inputs` are the arguments that depend on the prompts of a batch."""

    inputs: InputBuilder
    least_calls: int
    """Forward passes of the denoiser in a batch, at least."""


def load(spec: EngineSpec, options: ImageOptions) -> LoadedImagePipeline:
    """Load what `spec` names. Raises EngineError, or the libraries' own errors for `failures` to map."""
    style_adapter.require(spec, options)
    adapted = style_adapter.is_adapted(spec.weights)
    pipe, revision, stored = pipelines.build(spec, options, "image")
    pipe = _for_task(pipe, options.task, adapted=adapted)
    adapter = style_adapter.add_to(pipe, spec) if adapted else {}
    arranged = pipelines.arrange(pipe, spec, options)
    offload.put_in_force(pipe, spec, options)
    call, guidance = pipelines.call_arguments(pipe, arranged.denoiser, options)
    _keep_size(pipe, options, call)
    steps = _strength(pipe, options, call)
    upcast = spec.dtype == "float16" and bool(getattr(pipe.vae.config, "force_upcast", False))
    used = pipelines.used(spec, options, pipe, arranged, guidance)
    if options.offload is not None:
        used["offload"] = options.offload
    used |= {"vae_upcast": upcast} | stored | adapter | _task_facts(pipe, options, call)
    return LoadedImagePipeline(
        pipe,
        arranged.denoiser,
        arranged.encoders,
        call,
        revision,
        used,
        inputs=_inputs(pipe, options),
        least_calls=steps,
    )


def _for_task(pipe: Any, task: str | None, *, adapted: bool) -> Any:
    """The pipeline for this task, over the same networks. Raises EngineError where there is none."""
    if task == "style" and not adapted:
        raise _cannot(pipe, task)
    if task in _DERIVED:
        maker, mark = _DERIVED[task]
        if mark not in type(pipe).__name__:
            try:
                pipe = getattr(diffusers, maker).from_pipe(pipe)
            except ValueError as error:
                raise _cannot(pipe, task) from error
            pipe.set_progress_bar_config(disable=True)
            pipe.watermark = None
    accepted = set(inspect.signature(pipe.__call__).parameters)
    needed, foreign = _TAKES.get(task, ({task}, set()))
    upscales = (task == "upscale") == (type(pipe).__name__ in limits.SCALES)
    if not needed <= accepted or foreign & accepted or not upscales:
        raise _cannot(pipe, task)
    return pipe


def _cannot(pipe: Any, task: str | None) -> EngineError:
    return refused(
        f"{type(pipe).__name__} cannot do the task {task or 'text to image'}.",
        "Use a model whose entry in models.yaml has this task.",
    )


def _keep_size(pipe: Any, options: ImageOptions, call: dict[str, Any]) -> None:
    """Have the size asked for, and not the nearest one that the model was trained on."""
    accepted = inspect.signature(pipe.__call__).parameters
    if "_auto_resize" in accepted:
        call |= {"_auto_resize": False, "max_area": options.width * options.height}
    if options.task == "class":
        limits.check_class_side(type(pipe).__name__, pipe.transformer.config.sample_size * 8, options)
    limits.check_scale(type(pipe).__name__, options)


def _strength(pipe: Any, options: ImageOptions, call: dict[str, Any]) -> int:
    """Set the strength, and return the steps that are left to do. Raises EngineError for none."""
    accepted = inspect.signature(pipe.__call__).parameters
    if "strength" not in accepted:
        if options.strength is not None:
            raise refused(
                f"{type(pipe).__name__} takes no strength: it does all steps.", "Leave out strength."
            )
        return options.steps
    strength = accepted["strength"].default if options.strength is None else options.strength
    call["strength"] = strength
    return limits.steps_of(options.steps, strength)


def _inputs(pipe: Any, options: ImageOptions) -> InputBuilder:
    """Pipeline inputs of a batch of prompts. Pictures are drawn here, before anything is measured."""
    width, height, task = options.width, options.height, options.task
    if task is None:
        return lambda prompts: {"prompt": list(prompts)}
    if task == "class":
        classes = int(pipe.transformer.config.num_embeds_ada_norm)
        return lambda prompts: {"class_labels": [_class_of(prompt, classes) for prompt in prompts]}
    scale = limits.SCALES.get(type(pipe).__name__, 1)
    pictures = [drawn.source(width // scale, height // scale, number) for number in range(4)]
    mask = drawn.mask(width, height)
    # FLUX.2 takes a list as several references for every prompt.
    shared = type(pipe).__name__.startswith("Flux2")
    style = _style(options) if task == "style" else None

    def inputs(prompts: Sequence[str]) -> dict[str, Any]:
        chosen = [pictures[len(prompt) % len(pictures)] for prompt in prompts]
        named: dict[str, Any] = {"prompt": list(prompts), "image": chosen[0] if shared else chosen}
        if task == "inpaint":
            named["mask_image"] = [mask] * len(prompts)
        if style is not None:
            named["ip_adapter_image"] = style  # one for all items
        return named

    return inputs


def _style(options: ImageOptions) -> Image.Image:
    """The style picture in the size of the output. Raises EngineError for a file that is none."""
    width, height, named = options.width, options.height, options.style_picture
    found = drawn.style(width, height) if named is None else drawn.opened(Path(named))
    return found.resize((width, height))


def _class_of(prompt: str, classes: int) -> int:
    """A class for a prompt, the same in every run."""
    return int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big") % classes


def _task_facts(pipe: Any, options: ImageOptions, call: dict[str, Any]) -> dict[str, Any]:
    """The record's entry of the task; empty if an image is made from a text."""
    if options.task is None:
        return {}
    accepted = inspect.signature(pipe.__call__).parameters
    facts = {"task": options.task, "strength": call.get("strength")}
    for key in ("image_guidance_scale", "noise_level"):
        if key in accepted:
            facts[key] = accepted[key].default
    if options.task != "class":
        scale = limits.SCALES.get(type(pipe).__name__, 1)
        facts["input_picture"] = f"drawn {options.width // scale}x{options.height // scale}"
    if options.task == "style":
        facts["style_picture"] = "drawn" if options.style_picture is None else "a file"
    return facts
