"""Images from another picture or from a class: the task says how, or is refused where it cannot be done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.core.modalities.image import ImageOptions
from bench.engines import create
from bench.engines.picture import drawn
from bench.errors import EngineError
from tests.engines.conftest import IMAGE, PROMPTS, Loader, changed, spec

TEXT, ENCODE, REST = "text_encoder", "vae_encode", ["denoise", "vae"]
EDITS: list[tuple[str, dict[str, Any], str, list[str], int]] = [
    (
        "tiny-stable-diffusion",
        {"task": "image-to-image"},
        "StableDiffusionImg2ImgPipeline",
        [TEXT, ENCODE],
        3,
    ),
    ("tiny-sdxl", {"task": "image-to-image"}, "StableDiffusionXLImg2ImgPipeline", [TEXT, ENCODE], 1),
    ("tiny-stable-diffusion", {"task": "inpaint"}, "StableDiffusionInpaintPipeline", [TEXT, ENCODE], 4),
    (
        "tiny-sdxl",
        {"task": "inpaint", "strength": 0.5},
        "StableDiffusionXLInpaintPipeline",
        [TEXT, ENCODE],
        2,
    ),
    ("tiny-inpainting", {"task": "inpaint"}, "StableDiffusionInpaintPipeline", [TEXT, ENCODE], 4),
    (
        "tiny-instruct-pix2pix",
        {"task": "instruction"},
        "StableDiffusionInstructPix2PixPipeline",
        [TEXT, ENCODE],
        4,
    ),
    ("tiny-flux-kontext", {"task": "instruction"}, "FluxKontextPipeline", [TEXT, ENCODE], 4),
    ("tiny-upscaler", {"task": "upscale"}, "StableDiffusionUpscalePipeline", [TEXT], 4),
    (
        "tiny-ip-adapter",
        {"task": "style"},
        "StableDiffusionImg2ImgPipeline",
        [TEXT, "image_encoder", ENCODE],
        3,
    ),
    ("tiny-dit", {"task": "class"}, "DiTPipeline", [], 4),
]
"""Architecture, options, pipeline, phases before the denoiser, and steps of four that are done at least."""


@pytest.mark.parametrize(("name", "options", "pipeline", "before", "steps"), EDITS)
def test_a_task_runs_in_bf16_with_its_phases(
    loaded: Loader, name: str, options: dict[str, Any], pipeline: str, before: list[str], steps: int
) -> None:
    asked = changed(IMAGE, steps=4, **options)
    engine = create(spec(name, asked, dtype="bfloat16"))
    ready = engine.load()
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    assert [phase.name for phase in made.phases] == [*before, *REST]
    assert ready.used["pipeline_class"] == pipeline
    assert ready.used["task"] == options["task"]
    # A pipeline derived from another keeps the networks, and with them their dtype.
    assert set(ready.dtypes.values()) == {"bfloat16"}
    assert steps <= made.payload.calls <= steps + 1  # the scheduler of Stable Diffusion makes one more
    engine.unload()


def test_the_input_picture_decides_the_output(loaded: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a low strength little noise is added, so the output follows what went in."""
    options = changed(IMAGE, steps=10, task="image-to-image", strength=0.1)
    found = {}
    for scene in (drawn.source, lambda width, height, number: drawn.style(width, height)):
        monkeypatch.setattr(drawn, "source", scene)
        found[scene] = loaded(spec("tiny-sdxl", options)).generate(["A cat"], 0).payload.pixels
    one, other = found.values()
    assert (one != other).any()


def test_only_the_mask_of_an_inpainting_is_painted(loaded: Loader) -> None:
    """Latents outside of it are those of the picture, so two seeds differ inside far more than outside."""
    options = changed(IMAGE, steps=4, task="inpaint")
    engine = loaded(spec("tiny-sdxl", options))
    one, other = (engine.generate(["A cat"], seed).payload.pixels[0].astype(int) for seed in (1, 2))
    white = np.asarray(drawn.mask(64, 64)) > 0
    inside, outside = np.abs(one - other)[white].mean(), np.abs(one - other)[~white].mean()
    assert inside > 2 * outside


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("tiny-stable-diffusion", {"task": "instruction"}, "cannot do the task instruction"),
        ("tiny-stable-diffusion", {"task": "upscale"}, "cannot do the task upscale"),
        ("tiny-stable-diffusion", {"task": "class"}, "cannot do the task class"),
        ("tiny-stable-diffusion", {"task": "style"}, "cannot do the task style"),
        ("tiny-stable-diffusion", {"strength": 0.5}, "takes no strength: it does all steps"),
        ("tiny-sdxl", {"task": "image-to-image"}, "2 steps at strength 0.3 leave no step to do"),
        ("tiny-instruct-pix2pix", {}, "cannot do the task text to image"),
        ("tiny-upscaler", {"task": "instruction"}, "cannot do the task instruction"),
        ("tiny-dit", {}, "cannot do the task text to image"),
        ("tiny-dit", {"task": "class", "width": 128}, "makes 64x64 pixels, not 128x64. Use --size 64."),
        ("tiny-upscaler", {"task": "upscale", "width": 72}, "multiples of 32"),
    ],
)
def test_a_task_that_a_model_cannot_do_is_refused(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(EngineError) as caught:
        create(spec(name, changed(IMAGE, **options))).load()
    assert says in str(caught.value)


def test_a_task_is_part_of_a_case_only_where_it_is_set(tmp_path: Path) -> None:
    assert not {"task", "strength", "style_picture"} & IMAGE.identity().keys()
    asked = changed(IMAGE, task="image-to-image", strength=0.6)
    assert asked.identity()["task"] == "image-to-image"
    assert asked.size == "64x64 2 steps image-to-image strength 0.6"


def test_a_style_picture_is_identified_by_what_is_in_it(tmp_path: Path) -> None:
    found = []
    for name, side in (("one.png", 32), ("same.png", 32), ("other.png", 40)):
        drawn.style(side, side).save(tmp_path / name)
        found.append(ImageOptions(**dict(IMAGE) | {"style_picture": str(tmp_path / name)}).identity())
    one, same, other = (options["style_picture"] for options in found)
    assert one == same != other
    assert one.startswith("sha256:")
    missing = changed(IMAGE, style_picture=str(tmp_path / "nowhere.png"))
    assert missing.identity()["style_picture"] == "unreadable"


def test_a_style_picture_is_in_the_label_by_its_name_and_in_a_record_by_its_fingerprint(
    tmp_path: Path,
) -> None:
    drawn.style(32, 32).save(tmp_path / "monet.png")
    asked = changed(IMAGE, task="style", style_picture=str(tmp_path / "monet.png"))
    assert asked.size == "64x64 2 steps style monet.png"
    recorded = changed(asked, style_picture=asked.identity()["style_picture"])
    assert re.fullmatch(r"64x64 2 steps style sha256:[0-9a-f]{7}", recorded.size)


def test_what_is_drawn_is_the_same_each_time_and_no_plain_field() -> None:
    for draw in (drawn.source, drawn.style):
        one, again = draw(96, 64), draw(96, 64)
        assert (one.size, one.mode) == ((96, 64), "RGB")
        assert one.tobytes() == again.tobytes()
        assert np.asarray(one).std() > 20
    assert drawn.source(96, 64, 1).tobytes() != drawn.source(96, 64, 2).tobytes()
    white = np.asarray(drawn.mask(640, 480)) > 0
    assert white.mean() == pytest.approx(np.pi / 16, rel=0.02)
    assert white[240, 320]
    assert not white[0, 0]
