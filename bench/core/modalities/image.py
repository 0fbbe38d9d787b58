"""Images, counted one by one: made from text, from another picture, from a class or from noise."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bench.core.diffusion import FLAGS, DiffusionOptions
from bench.core.modality import CountedOutput, Flag, Modality, UnitCount

Task = Literal["image-to-image", "inpaint", "instruction", "upscale", "style", "segment", "class", "noise"]
"""Sources of an image other than a text alone.

`image-to-image`, `inpaint`, `instruction` and `upscale` change an input picture by a text, `inpaint` only
where a mask is white. `style` repaints it in a style, `segment` draws a mask of it. `class` makes an image
of one of the model's classes, `noise` one of random numbers alone.
"""


class ImageOptions(DiffusionOptions):
    """Options of an image."""

    only_if_set: ClassVar[frozenset[str]] = DiffusionOptions.only_if_set | {
        "task",
        "strength",
        "style_picture",
    }

    task: Task | None = None
    """`None` for an image from a text."""
    strength: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the steps that is done on the input picture; `None` for the pipeline's own."""
    style_picture: str | None = None
    """File with the style; `None` for one that is drawn."""

    @property
    def size(self) -> str:
        """`1024x1024 50 steps image-to-image strength 0.6`, or `... style monet.png`."""
        strength = f"strength {self.strength:g}" if self.strength is not None else ""
        return " ".join(filter(None, (super().size, self.task, _file_name(self.style_picture), strength)))

    def identity(self) -> dict[str, Any]:
        """The options that are part of a case; a file by its content, not by its path."""
        options = super().identity()
        if self.style_picture is not None:
            options["style_picture"] = _fingerprint(Path(self.style_picture))
        return options


def _file_name(file: str | None) -> str:
    """The name of a file; the first digits of the fingerprint that a record has in its place."""
    return "" if file is None else file[:14] if file.startswith("sha256:") else Path(file).name


def _fingerprint(file: Path) -> str:
    """`sha256:` with sixteen digits, or `unreadable`: the engine has the reason when it loads."""
    try:
        return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
    except (OSError, ValueError):
        return "unreadable"


def count(output: CountedOutput) -> UnitCount:
    """Every item is an image."""
    return UnitCount(output.items)


MODALITY = Modality(
    name="image",
    order=2,
    unit="image",
    plural="images",
    options=ImageOptions,
    count=count,
    prompts="images.yaml",
    packages=("torch", "diffusers", "transformers", "accelerate", "PIL"),
    flags=(
        *FLAGS,
        Flag("task", "what an image is made from, where it is not a text alone."),
        Flag("strength", "share of the steps done on the input picture, from 0 to 1."),
        Flag("style_picture", "file with the style to paint in; else one is drawn.", "FILE"),
    ),
    defaults=frozenset({"compile"}),
)
