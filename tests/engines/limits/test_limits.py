"""What is refused before anything is loaded is what the loaded model refuses, in the same words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import diffusers
import pytest
import torch
from transformers.models.bark.generation_configuration_bark import BarkSemanticGenerationConfig

from bench.catalog.cases import Case, Overrides, plan
from bench.catalog.loading import find, load
from bench.catalog.models import Catalogue, Work
from bench.core.modalities.video import MOST_FRAMES, VideoOptions
from bench.engines import create, limits
from bench.engines.base import EngineSpec
from bench.engines.limits import speech, video
from bench.engines.picture import video_loading
from bench.engines.weights import architectures, random_weights
from bench.errors import EngineError, UsageError
from bench.machine.placement import Placement
from bench.worker.engine_spec import engine_spec, with_architecture

CPU = cast(Placement, SimpleNamespace(device="cpu", torch_devices=("cpu",)))
CARD = cast(Placement, SimpleNamespace(device="cuda", torch_devices=("cuda:0",)))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(find())


def spec_of(case: Case, placement: Placement = CPU) -> EngineSpec:
    return engine_spec(with_architecture(case), placement, frozenset())


def sentence(catalogue: Catalogue, model: str, work: dict[str, Any]) -> tuple[str, EngineSpec]:
    """The refusal before loading, and the spec that it is of."""
    overrides = Overrides(Work.model_validate(work), weights="random")
    (item,) = plan(catalogue, [model], overrides)
    spec = spec_of(item.case)
    with pytest.raises(EngineError) as refusal:
        limits.check(spec, item.case.model.architecture)
    assert refusal.value.missing, "a wrong use, and not a failure"
    return refusal.value.message, spec


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("tiny-wan", {"frames": 10}, "WanPipeline makes 4n+1 frames, and 10 are asked for."),
    ("tiny-wan", {"frames": 99997}, "WanPipeline makes 4093 frames at most, and 99997 were asked for."),
    ("tiny-cogvideox", {"frames": 6}, "CogVideoXPipeline makes 4n+1 frames, and 6 are asked for."),
    ("tiny-ltx", {"frames": 10}, "LTXPipeline makes 8n+1 frames, and 10 are asked for."),
    ("tiny-ltx", {"width": 40}, "LTXPipeline makes sides that are multiples of 32 pixels, not 40."),
    ("tiny-mochi", {"frames": 8}, "MochiPipeline makes 6n+1 frames, and 8 are asked for."),
    ("tiny-ltx", {"steps": 1}, "The schedule of LTXPipeline has 2 steps at least, and 1 was asked for."),
    ("tiny-mochi", {"steps": 1}, "The schedule of MochiPipeline has 2 steps at least, and 1 was asked for."),
    ("tiny-ip-adapter", {"task": "inpaint"}, "tiny-ip-adapter cannot do the task inpaint."),
    ("tiny-ip-adapter", {"fuse_qkv": True}, "The adapter of tiny-ip-adapter cannot be used with fuse_qkv."),
    ("tiny-ip-adapter", {"strength": 0.1}, "4 steps at strength 0.1 leave no step to do."),
    ("tiny-speecht5", {"seconds": 9}, "tiny-speecht5 speaks for 0.008 to 3 s, and 9 s were asked for."),
    ("tiny-wan", {"compile_mode": "default"}, "compile_mode default without compile changes nothing."),
    ("tiny-stable-diffusion", {"task": "upscale"}, "StableDiffusionPipeline cannot do the task upscale."),
    ("tiny-upscaler", {"width": 40}, "An upscaler by 4 makes sides that are multiples of 32."),
    ("tiny-dit", {"width": 128}, "DiTPipeline makes 64x64 pixels, not 128x64."),
    ("tiny-stable-diffusion", {"strength": 0.5}, "StableDiffusionPipeline takes no strength: "),
    (
        "tiny-stable-diffusion",
        {"task": "image-to-image", "strength": 0.1},
        "4 steps at strength 0.1 leave no step to do.",
    ),
    ("tiny-stable-diffusion", {"style_picture": "a.png"}, "tiny-stable-diffusion takes no style picture."),
    ("tiny-stylegan2", {"steps": 2}, "tiny-stylegan2 makes an image in one pass, not in 2."),
    ("tiny-stylegan2", {"task": "style"}, "tiny-stylegan2 cannot do the task style."),
    ("tiny-sam", {"guidance": 2.0}, "tiny-sam has nothing that guidance could change."),
    ("tiny-musicgen", {"steps": 4}, "tiny-musicgen writes one code after the other and takes no steps."),
    (
        "tiny-stable-audio",
        {"seconds": 500},
        "StableAudioPipeline makes 2.0 s at most, and 500 s were asked for.",
    ),
    ("tiny-bark", {"seconds": 30}, "tiny-bark speaks for 1.2 s at most, and 30 s were asked for."),
    ("tiny-musicgen", {"seconds": 0.001}, "tiny-musicgen makes 20 ms at least."),
    ("tiny-audioldm2", {"seconds": 0.001}, "AudioLDM2Pipeline makes 10 ms at least."),
    (
        "tiny-llama",
        {"attention": "flash_attention_2"},
        "Attention flash_attention_2 needs a CUDA card, and the work runs on cpu.",
    ),
    ("tiny-wan", {"attention": "flash_attention_3"}, "Attention flash_attention_3 needs a CUDA card"),
    ("tiny-vits", {"seconds": 0.001}, "tiny-vits makes 8 ms at least."),
    ("tiny-whisper", {"seconds": 30}, "tiny-whisper hears 3 s at once, and 30 s were asked for."),
    ("tiny-whisper", {"new_tokens": 90}, "tiny-whisper writes 60 tokens at most, and 90 were asked for."),
    ("tiny-voice", {"seconds": 0.001}, "tiny-voice (speech) makes 8 ms at least."),
    ("tiny-bert", {"input_tokens": 4000}, "tiny-bert has room for 2048 tokens, and 4000 were asked for."),
    (
        "tiny-llama",
        {"reasoning": True},
        "Random weights do not end their reasoning, so tiny-llama writes no ",
    ),
]


@pytest.mark.parametrize(("model", "work", "says"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_option_is_refused_before_loading_as_after_it(
    catalogue: Catalogue, model: str, work: dict[str, Any], says: str
) -> None:
    before, spec = sentence(catalogue, model, work)
    assert before.startswith(says)
    with pytest.raises(EngineError) as refusal:
        create(spec).load()
    if "cannot do the task" not in says:  # the remedy alone differs there
        assert refusal.value.message == before
    assert refusal.value.missing


def test_a_chain_advises_its_own_options(catalogue: Catalogue) -> None:
    overrides = Overrides(Work.model_validate({"heard_seconds": 600.0}), weights="random")
    (item,) = plan(catalogue, ["tiny-voice"], overrides)
    spec = spec_of(item.case)
    for refuse in (lambda: limits.check(spec, "tiny-voice"), lambda: create(spec).load()):
        with pytest.raises(EngineError, match=r"\(recognition\) hears 3 s at once, and 600 s") as refusal:
            refuse()
        assert str(refusal.value.remedy).startswith("Ask for fewer with --heard-seconds, ")


def test_a_page_longer_than_all_positions_is_refused(catalogue: Catalogue) -> None:
    message, _ = sentence(catalogue, "tiny-llama", {"new_tokens": 2048})
    assert message == "tiny-llama has room for 2048 tokens, and prompt and page would take 2049."


def test_a_style_picture_that_is_none_is_refused(catalogue: Catalogue, tmp_path: Any) -> None:
    file = tmp_path / "style.png"
    file.write_text("no picture")
    message, _ = sentence(catalogue, "tiny-adain", {"style_picture": str(file)})
    assert message == f"The style picture {file} cannot be used: not a picture."


@pytest.mark.parametrize("placement", [CARD, CPU])
def test_every_case_of_the_catalogue_is_within_its_models_limits(
    catalogue: Catalogue, placement: Placement
) -> None:
    checked = 0
    for name in [*catalogue.suites, *catalogue.models]:
        try:
            items = plan(catalogue, [name], Overrides())
        except UsageError:  # of models that need an option more
            continue
        for item in items:
            options = item.case.options
            needs_card = getattr(options, "offload", None) or getattr(options, "compile_mode", None)
            if placement is CARD or not needs_card:
                limits.check(spec_of(item.case, placement), item.case.model.architecture)
                checked += 1
    assert checked > 100


@pytest.mark.parametrize("name", ["tiny-wan", "tiny-cogvideox", "tiny-ltx", "tiny-mochi"])
def test_the_grid_of_a_film_is_the_pipelines(name: str) -> None:
    shape = architectures.load(name)
    parts = {
        part.name: random_weights.build(part, torch.float32, "cpu", 0)
        for part in shape.components
        if part.name in ("vae", "transformer")
    }
    pipe = getattr(diffusers, str(shape.pipeline))(
        **parts, text_encoder=None, tokenizer=None, scheduler=None, **shape.arguments
    )
    grid = video.grid_of(shape)
    assert grid is not None
    names = video_loading._TEMPORAL
    assert grid.frames == next(getattr(pipe, name) for name in names if hasattr(pipe, name))
    assert grid.pixels == video_loading._multiple(pipe)
    assert grid.most_latent_frames == getattr(pipe.transformer.config, "rope_max_seq_len", None)


def test_the_frames_that_are_advised_are_within_the_most_that_an_option_takes() -> None:
    options = VideoOptions(frames=MOST_FRAMES, fps=8, width=64, height=64, steps=1)
    with pytest.raises(EngineError, match=r"Use --frames 99997\.") as refusal:
        video.check_film("P", video.FilmGrid(4, 16), options)
    assert refusal.value.message == "P makes 4n+1 frames, and 100000 are asked for."


def test_barks_settings_are_the_librarys() -> None:
    own = BarkSemanticGenerationConfig()  # type: ignore[no-untyped-call]
    assert (own.max_new_tokens, own.semantic_rate_hz) == (speech.BARK_CODES, speech.BARK_CODES_HZ)


def test_a_folder_may_have_another_model_so_its_limits_wait(catalogue: Catalogue) -> None:
    (item,) = plan(
        catalogue,
        ["tiny-wan"],
        Overrides(Work.model_validate({"frames": 10}), weights="path", weights_path="/a"),
    )
    limits.check(spec_of(item.case), item.case.model.architecture)
