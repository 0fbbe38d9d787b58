"""Limits of image models: tasks, sizes, strength, style pictures, and what one pass has no use for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.core.modalities.image import ImageOptions
from bench.engines.base import EngineSpec
from bench.engines.limits import compiling
from bench.engines.limits.refused import refused
from bench.engines.picture import offload
from bench.engines.weights.architectures import Architecture

Tasks = frozenset[str | None]
_FROM_TEXT: Tasks = frozenset({None, "image-to-image", "inpaint"})
_TASKS: Mapping[str, Tasks] = {
    "StableDiffusionPipeline": _FROM_TEXT,
    "StableDiffusionXLPipeline": _FROM_TEXT,
    "StableDiffusionInpaintPipeline": frozenset({"image-to-image", "inpaint"}),
    "StableDiffusionInstructPix2PixPipeline": frozenset({"instruction"}),
    "StableDiffusionUpscalePipeline": frozenset({"upscale"}),
    "DiTPipeline": frozenset({"class"}),
}
"""Tasks of pipelines that are known here; those of others are found when they are loaded."""
_NETWORKS: Mapping[str, str] = {
    "SamModel": "segment",
    "StyleGan2Generator": "noise",
    "TransformationNetwork": "style",
    "AdaptiveStyle": "style",
}
"""The task of each network that makes an image in one pass."""
IDLE_IN_ONE_PASS = (
    "quantization",
    "offload",
    "attention",
    "sdpa_kernel",
    "compile_blocks",
    "fuse_qkv",
    "text_tokens",
    "guidance",
    "scheduler",
    "strength",
)
TAKES_STYLE = "AdaptiveStyle"
ADAPTER = "ip_adapter"
"""Name of the component that lets a pipeline see a style picture."""
_UNFIT_FOR_ADAPTER = ("fuse_qkv", "quantization")
"""Variants that replace the attention or the layers that the adapter puts its numbers into."""
WITH_STRENGTH = frozenset({"image-to-image", "inpaint", "style"})


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for an image that the model cannot make."""
    options = spec.options
    assert isinstance(options, ImageOptions), "chosen by the type of the options"
    compiling.check_mode(options, spec.devices)
    compiling.check_blocks(options, compile_blocks=options.compile_blocks)
    if shape is None:
        offload.require(spec, options)
        return
    (first, *_) = shape.components
    adapted = ADAPTER in shape.parameters
    if options.style_picture is not None:
        takes_style = adapted or first.class_name == TAKES_STYLE
        check_style(spec.model, options.style_picture, takes_style=takes_style)
    if shape.pipeline is None:
        check_one_pass(spec.model, spec.devices, options)
        check_task(spec.model, frozenset({_NETWORKS[first.class_name]}), options.task)
        return
    offload.require(spec, options)
    if adapted:
        check_adapter(spec.model, spec.devices, options)
        check_strength(shape.pipeline, options)
    elif shape.pipeline in _TASKS:
        check_task(shape.pipeline, _TASKS[shape.pipeline], options.task)
        check_strength(shape.pipeline, options)
    if options.task == "class":
        denoiser = next(part for part in shape.components if part.name == "transformer")
        check_class_side(shape.pipeline, denoiser.config["sample_size"] * 8, options)
    check_scale(shape.pipeline, options)


def check_style(model: str, file: str, *, takes_style: bool) -> None:
    """Raise EngineError for a style picture where none is used, or that is not a picture."""
    if not takes_style:
        raise refused(
            f"{model} takes no style picture.", "Leave out --style-picture, or use ip-adapter-sd1.5."
        )
    from bench.engines.picture import drawn

    drawn.opened(Path(file))


def check_adapter(model: str, devices: tuple[str, ...], options: ImageOptions) -> None:
    """Raise EngineError for what a pipeline with an adapter for style pictures cannot do."""
    check_task(model, frozenset({"style"}), options.task)
    if len(devices) > 1:
        raise refused(f"{model} runs on one device, not on {len(devices)}.", "Name one card with --gpus.")
    for name in _UNFIT_FOR_ADAPTER:
        if getattr(options, name):
            raise refused(f"The adapter of {model} cannot be used with {name}.", f"Leave out {name}.")


def check_one_pass(model: str, devices: tuple[str, ...], options: ImageOptions) -> None:
    """Raise EngineError for what one network in one pass has no use for."""
    if len(devices) > 1:
        raise refused(f"{model} is one network on one device.", "Name one card with --gpus.")
    for name in IDLE_IN_ONE_PASS:
        if getattr(options, name):
            raise refused(f"{model} has nothing that {name} could change.", f"Leave out {name}.")
    if options.steps != 1:
        raise refused(f"{model} makes an image in one pass, not in {options.steps}.", "Use --steps 1.")


def check_task(model: str, tasks: Tasks, task: str | None) -> None:
    """Raise EngineError for a task of other models."""
    if task not in tasks:
        able = " or ".join(sorted(each or "text to image" for each in tasks))
        raise refused(f"{model} cannot do the task {task or 'text to image'}.", f"Use the task {able}.")


def check_strength(pipeline: str, options: ImageOptions) -> None:
    """Raise EngineError for a strength that the task does not have, or that leaves no step."""
    if options.strength is None:
        return
    if options.task not in WITH_STRENGTH:
        raise refused(f"{pipeline} takes no strength: it does all steps.", "Leave out strength.")
    steps_of(options.steps, options.strength)


def steps_of(steps: int, strength: float) -> int:
    """The steps that are left to do. Raises EngineError for none."""
    left = min(int(steps * strength), steps)
    if left < 1:
        raise refused(
            f"{steps} steps at strength {strength:g} leave no step to do.",
            "Use more steps or a higher strength.",
        )
    return left


def check_class_side(pipeline: str, side: int, options: ImageOptions) -> None:
    """Raise EngineError for another size than the one that a model of classes makes."""
    if (options.width, options.height) != (side, side):
        raise refused(
            f"{pipeline} makes {side}x{side} pixels, not {options.width}x{options.height}.",
            f"Use --size {side}.",
        )


SCALES = {"StableDiffusionUpscalePipeline": 4, "StableDiffusionLatentUpscalePipeline": 2}
"""Sides of the output over those of the input."""


def check_scale(pipeline: str, options: ImageOptions) -> None:
    """Raise EngineError for sides that an upscaler would round."""
    scale = SCALES.get(pipeline, 1)
    if options.width % (8 * scale) or options.height % (8 * scale):
        raise refused(
            f"An upscaler by {scale} makes sides that are multiples of {8 * scale}.", "Use another --size."
        )
