"""Images: three phases inside the window, 8-bit pixels on the host, and pictures that are none found out."""

from __future__ import annotations

import weakref
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from bench.core.modalities.image import ImageOptions
from bench.engines import create
from bench.engines.base import GeneratedBatch
from bench.engines.image import ImageEngine
from bench.engines.picture.pictures import Pictures
from bench.errors import EngineError, UsageError
from tests.engines.conftest import IMAGE, PROMPTS, Loader, changed, spec

TINY = "tiny-stable-diffusion"


def made_of(pixels: np.ndarray, finite: bool = True, calls: int = 2) -> GeneratedBatch:
    return GeneratedBatch(0, 1, len(pixels), (), Pictures(pixels, (finite,) * len(pixels), calls))


@pytest.mark.parametrize("architecture", [TINY, "tiny-sdxl"])
def test_phases_follow_one_another_inside_the_window(loaded: Loader, architecture: str) -> None:
    made = loaded(spec(architecture, IMAGE)).generate(PROMPTS, 0)
    assert [phase.name for phase in made.phases] == ["text_encoder", "denoise", "vae"]
    edges = [edge for phase in made.phases for edge in (phase.start_ns, phase.end_ns)]
    assert edges == sorted(edges)
    assert made.start_ns <= edges[0]
    assert edges[-1] <= made.end_ns
    assert all(phase.end_ns > phase.start_ns for phase in made.phases)


def test_pixels_are_bytes_of_the_size_asked_for(loaded: Loader) -> None:
    engine = loaded(spec(TINY, ImageOptions(width=64, height=48, steps=2)))
    made = engine.generate(PROMPTS, 0)
    pixels = made.payload.pixels
    assert pixels.shape == (2, 48, 64, 3)
    assert pixels.dtype == np.uint8
    assert engine.inspect(made).problems == ()


def test_items_differ_and_the_same_seed_gives_the_same_images(loaded: Loader) -> None:
    engine = loaded(spec(TINY, IMAGE))
    first, again, other = (engine.generate(["A cat"] * 2, seed).payload.pixels for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first[0] != first[1]).any()
    # Item i starts from the noise of seed + i, so a batch is the same images as its items one by one.
    assert np.abs(first[1].astype(int) - other[0].astype(int)).max() <= 1


def test_the_defaults_of_the_model_are_reported() -> None:
    ready = create(spec(TINY, IMAGE, dtype="bfloat16")).load()
    assert ready.used["scheduler"] == "PNDMScheduler"
    assert ready.used["guidance"] == 7.5
    assert ready.used["pipeline_class"] == "StableDiffusionPipeline"
    assert ready.used["attention"] == ["AttnProcessor2_0"]
    assert set(ready.dtypes.values()) == {"bfloat16"}
    assert ready.parameters == {"text_encoder": 51616, "unet": 792964, "vae": 261079}


def test_scheduler_and_guidance_can_be_chosen(loaded: Loader) -> None:
    options = changed(IMAGE, scheduler="EulerDiscreteScheduler", guidance=0.0, attention="sdpa")
    engine = create(spec(TINY, options))
    ready = engine.load()
    assert ready.used["scheduler"] == "EulerDiscreteScheduler"
    assert ready.used["scheduler_config"]["beta_schedule"] == "scaled_linear"
    assert ready.used["guidance"] == 0.0
    assert ready.used["attention_backend"] == ["native"]
    assert engine.generate(PROMPTS, 0).payload.calls == 2


@pytest.mark.parametrize("kernel", ["eager", "flex_attention"])
def test_an_attention_kernel_that_a_unet_would_silently_ignore_is_refused(kernel: str) -> None:
    with pytest.raises(EngineError, match=f"UNet2DConditionModel cannot use the attention kernel '{kernel}'"):
        create(spec(TINY, changed(IMAGE, attention=kernel))).load()


def test_an_attention_kernel_of_cuda_alone_is_refused_on_the_cpu() -> None:
    with pytest.raises(EngineError, match="flash_attention_2 needs a CUDA card, and the work runs on cpu"):
        create(spec(TINY, changed(IMAGE, attention="flash_attention_2"))).load()


def test_an_unknown_scheduler_is_refused() -> None:
    with pytest.raises(EngineError, match="no scheduler 'SlowScheduler'"):
        create(spec(TINY, changed(IMAGE, scheduler="SlowScheduler"))).load()


def test_saved_weights_make_the_same_images(loaded: Loader, image_folder: Path) -> None:
    real, random = loaded(spec(options=IMAGE, folder=image_folder)), loaded(spec(TINY, IMAGE))
    made = real.generate(PROMPTS, 0)
    assert (made.payload.pixels == random.generate(PROMPTS, 0).payload.pixels).all()
    assert real.inspect(made).problems == ()


def test_nan_weights_are_a_problem(loaded: Loader, image_folder: Path, tmp_path: Path) -> None:
    for path in image_folder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(image_folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    file = tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["decoder.conv_out.bias"][0] = float("inf")
    save_file(weights, file, metadata={"format": "pt"})
    engine = loaded(spec(options=IMAGE, folder=tmp_path))
    problems = engine.inspect(engine.generate(PROMPTS, 0)).problems
    assert problems == tuple(f"Item {i}: the picture contains NaN or infinity." for i in (0, 1))


def test_one_colour_is_a_problem_for_real_weights_only(loaded: Loader, image_folder: Path) -> None:
    grey = np.full((2, 64, 64, 3), 127, dtype=np.uint8)
    grey[1, 3, 3, 0] = 128
    real, random = loaded(spec(options=IMAGE, folder=image_folder)), loaded(spec(TINY, IMAGE))
    assert real.inspect(made_of(grey)).problems == ("Item 0 is of one colour all over.",)
    assert random.inspect(made_of(grey)).problems == ()
    black = np.random.default_rng(0).integers(0, 10, (2, 64, 64, 3), dtype=np.uint8)
    black[0] = black[0].clip(0, 8)
    black[1, 0, 0] = 9
    assert real.inspect(made_of(black)).problems == ("Item 0 is black.",), "noise of a brightness below 9"
    assert random.inspect(made_of(black)).problems == ()


def test_wrong_size_and_missing_steps_are_problems(loaded: Loader) -> None:
    problems = (
        loaded(spec(TINY, IMAGE)).inspect(made_of(np.zeros((1, 32, 64, 3), np.uint8), calls=1)).problems
    )
    assert problems == (
        "The pixels have shape (1, 32, 64, 3), (1, 64, 64, 3) was asked for.",
        "The denoiser ran 1 times, 2 were asked for.",
    )


def test_save_writes_one_png_an_item(loaded: Loader, tmp_path: Path) -> None:
    engine = loaded(spec(TINY, IMAGE))
    made = engine.generate(PROMPTS, 0)
    paths = engine.save(made, tmp_path, "image")
    assert [path.name for path in paths] == ["image-0.png", "image-1.png"]
    with Image.open(paths[1]) as image:
        assert (np.asarray(image) == made.payload.pixels[1]).all()


def test_components_can_be_spread_over_devices(loaded: Loader) -> None:
    engine = create(spec(TINY, IMAGE, devices=("cpu", "cpu")))
    ready = engine.load()
    assert set(ready.used["device_map"]) == {"text_encoder", "unet", "vae"}
    assert engine.inspect(engine.generate(PROMPTS, 0)).problems == ()


def test_unload_and_wrong_kinds() -> None:
    engine = create(spec(TINY, IMAGE))
    assert isinstance(engine, ImageEngine)
    engine.load()
    denoiser = weakref.ref(engine._ready().denoiser)
    engine.generate(PROMPTS, 0)
    engine.unload()
    assert denoiser() is None
    with pytest.raises(EngineError, match="not loaded"):
        engine.generate(PROMPTS, 0)
    with pytest.raises(UsageError, match="is not a model of kind image"):
        create(spec("tiny-llama", IMAGE)).load()
