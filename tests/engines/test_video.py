"""Video: the true classes made tiny, phases in order, seconds of film, and films that are none found out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.core import modalities
from bench.core.modalities.video import VideoOptions
from bench.core.modality import CountedOutput
from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import EngineSpec, GeneratedBatch
from bench.engines.picture import film_files, video_loading
from bench.engines.video import Films, VideoEngine
from bench.engines.weights import architectures, random_weights
from bench.errors import EngineError, UsageError
from tests.engines.conftest import PROMPTS, Loader, changed, spec

WAN = VideoOptions(frames=9, fps=16, width=64, height=48, steps=2)
SMALLEST: dict[str, VideoOptions] = {
    "tiny-wan": WAN,
    "tiny-cogvideox": VideoOptions(frames=9, fps=8, width=64, height=64, steps=2),
    "tiny-ltx": VideoOptions(frames=9, fps=24, width=64, height=64, steps=2),
    "tiny-mochi": VideoOptions(frames=7, fps=30, width=32, height=32, steps=2),
}
GUIDANCE = {"tiny-wan": 5.0, "tiny-cogvideox": 6.0, "tiny-ltx": 3.0, "tiny-mochi": 4.5}


def made_of(frames: np.ndarray, calls: int = 2) -> GeneratedBatch:
    return GeneratedBatch(0, 1, len(frames), (), Films(frames, (True,) * len(frames), calls))


def of_path(folder: Path, options: VideoOptions = WAN) -> EngineSpec:
    return EngineSpec("a-model", Weights(kind="path", path=str(folder)), options, "float32", 1)


@pytest.fixture(scope="module")
def wan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Wan pipeline, as `save_pretrained` writes it."""
    folder = tmp_path_factory.mktemp("tiny-wan")
    video_loading.load(spec("tiny-wan", WAN), WAN).pipe.save_pretrained(folder)
    return folder


def test_every_tiny_architecture_of_video_is_tried() -> None:
    films = {name for name in architectures.names() if architectures.load(name).kind == "video"}
    assert {name for name in films if name.startswith("tiny-")} == set(SMALLEST)


@pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning")
@pytest.mark.parametrize("name", SMALLEST)
def test_a_batch_of_clips_is_made_in_bf16_with_its_phases(loaded: Loader, name: str) -> None:
    options = SMALLEST[name]
    engine = loaded(spec(name, options, dtype="bfloat16"))
    made = engine.generate(PROMPTS, 0)
    assert made.payload.frames.shape == (2, options.frames, options.height, options.width, 3)
    assert made.payload.frames.dtype == np.uint8
    found = engine.inspect(made)
    assert found.problems == ()
    assert found.seconds == (options.frames / options.fps,) * 2
    assert [phase.name for phase in made.phases] == ["text_encoder", "denoise", "vae"]
    edges = [edge for phase in made.phases for edge in (phase.start_ns, phase.end_ns)]
    assert [made.start_ns, *edges, made.end_ns] == sorted([made.start_ns, *edges, made.end_ns])


@pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning")
@pytest.mark.parametrize("name", SMALLEST)
def test_what_is_in_force_is_read_back(name: str) -> None:
    engine = create(spec(name, SMALLEST[name]))
    ready = engine.load()
    engine.unload()
    assert ready.parameters == architectures.load(name).parameters
    assert ready.used["guidance"] == GUIDANCE[name]
    assert (ready.used["frames"], ready.used["fps"]) == (SMALLEST[name].frames, SMALLEST[name].fps)
    assert (ready.used["offload"], ready.used["vae_tiling"]) == (None, False)
    assert ready.used["fps_in_model"] is (name == "tiny-ltx")


def test_a_clip_of_a_batch_is_the_clip_made_alone(loaded: Loader) -> None:
    engine = loaded(spec("tiny-ltx", SMALLEST["tiny-ltx"]))
    both, again, second = (
        engine.generate(["A cat"] * items, seed).payload.frames for items, seed in ((2, 5), (2, 5), (1, 6))
    )
    assert (both == again).all()
    assert (both[0] != both[1]).any()
    assert np.abs(both[1].astype(int) - second[0].astype(int)).max() <= 1


def test_tiles_are_a_variant_that_is_in_force_and_named() -> None:
    options = changed(WAN, vae_tiling=True)
    engine = create(spec("tiny-wan", options))
    assert engine.load().used["vae_tiling"] is True
    assert engine.inspect(engine.generate(PROMPTS, 0)).problems == ()
    assert options.identity()["vae_tiling"] is True
    assert "vae_tiling" not in WAN.identity()


@pytest.mark.parametrize("name", ["tiny-ltx", "tiny-mochi"])
def test_fewer_steps_than_a_schedule_has_are_refused_before_anything_is_built(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both schedules divide by zero with one step; the other tests here make clips in two."""
    monkeypatch.setattr(random_weights, "build", lambda *_: pytest.fail("a network was built"))
    with pytest.raises(EngineError, match=r"has 2 steps at least, and 1 was asked for\. Use --steps 2 or"):
        create(spec(name, changed(SMALLEST[name], steps=1))).load()


def test_one_step_is_enough_where_the_schedule_has_it(loaded: Loader) -> None:
    engine = loaded(spec("tiny-wan", changed(WAN, steps=1)))
    assert engine.inspect(engine.generate(PROMPTS, 0)).problems == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"frames": 100_000}, "makes 4093 frames at most, and 100000 were asked for. Use --frames 4093."),
        ({"frames": 10}, "WanPipeline makes 4n+1 frames, and 10 are asked for. Use --frames 9."),
        ({"width": 72}, "makes sides that are multiples of 16 pixels, not 72. Use --size 64x48."),
        ({"offload": "model", "quantization": "bnb-4bit"}, "Leave out offload"),
        ({"offload": "model"}, "from the host's memory to one card, not to cpu. Leave out offload"),
        ({"scheduler": "SlowScheduler"}, "no scheduler 'SlowScheduler'"),
    ],
)
def test_what_a_pipeline_would_silently_change_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(EngineError) as caught:
        create(spec("tiny-wan", changed(WAN, **changes))).load()
    assert says in str(caught.value)


def test_a_model_of_images_makes_no_video() -> None:
    with pytest.raises(UsageError, match="tiny-stable-diffusion is not a model of kind video"):
        create(spec("tiny-stable-diffusion", WAN)).load()


def test_saved_weights_make_the_same_film(loaded: Loader, wan_folder: Path) -> None:
    real, random = loaded(of_path(wan_folder)), loaded(spec("tiny-wan", WAN))
    assert (
        real.generate(PROMPTS[:1], 0).payload.frames == random.generate(PROMPTS[:1], 0).payload.frames
    ).all()


def test_films_that_are_none_are_found_out_with_real_weights(loaded: Loader, wan_folder: Path) -> None:
    rng = np.random.default_rng(0)
    films = rng.integers(0, 256, (5, 9, 48, 64, 3), dtype=np.uint8)
    films[0, 2:4] = 3
    films[1, 5] = 200
    films[2] = films[2, :1]
    films[3, 3:] = films[3, [0, 1, 2, 0, 1, 2]]
    real, random = loaded(of_path(wan_folder)), loaded(spec("tiny-wan", WAN))
    assert real.inspect(made_of(films)).problems == (
        "Item 0: 2 of 9 frames are black.",
        "Item 1: 1 of 9 frames are of one colour all over.",
        "Item 2: all frames are the same.",
        "Item 3: its first 3 frames come again and again.",
    )
    assert random.inspect(made_of(films)).problems == ()
    short = made_of(films[:1, :8], calls=1)
    assert random.inspect(short).problems == (
        "The frames have shape (1, 8, 48, 64, 3), (1, 9, 48, 64, 3) was asked for.",
        "The denoiser ran 1 times, 2 were asked for.",
    )
    assert random.inspect(short).seconds == (0.5,)


def test_nan_is_a_problem_whatever_the_weights(loaded: Loader) -> None:
    engine = loaded(spec("tiny-wan", WAN))
    assert isinstance(engine, VideoEngine)
    vae: Any = engine._ready().modules["vae"]
    vae.decoder.conv_out.bias.data[0] = float("nan")
    problems = engine.inspect(engine.generate(PROMPTS, 0)).problems
    assert problems == tuple(f"Item {i}: the film contains NaN or infinity." for i in (0, 1))


@pytest.mark.parametrize("encoder", [True, False], ids=["pyav", "pillow"])
def test_a_film_is_saved_with_all_its_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: bool
) -> None:
    frames = np.zeros((9, 48, 64, 3), np.uint8)
    for number, frame in enumerate(frames):
        frame[:, : 7 * (number + 1)] = (250, 120, 10)
    if encoder:
        av = pytest.importorskip("av")
    else:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    file = film_files.write(frames, 16, tmp_path / "film-0")
    assert file.name == ("film-0.mp4" if encoder else "film-0.png")
    if encoder:
        with av.open(str(file)) as container:
            (stream,) = container.streams.video
            shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
            assert stream.average_rate == 16
        assert np.abs(np.stack(shown).astype(int) - frames).mean() < 10
    else:
        with Image.open(file) as picture:
            assert getattr(picture, "n_frames", 1) == 9
            assert picture.info["duration"] == pytest.approx(1000 / 16, abs=0.5)  # whole ones in pillow 10
            picture.seek(8)
            assert (np.asarray(picture.convert("RGB")) == frames[8]).all()


def test_seconds_are_counted_and_their_output_needs_room() -> None:
    modality = modalities.get("video")
    made = CountedOutput(items=3, tokens=0, words=None, seconds=15.1875, tokens_per_word=None)
    assert modality.count(made).units == 15.1875
    assert modality.count(made._replace(seconds=None)).units is None
    # 81 frames of 1280x720 with three colours, twice as four-byte numbers.
    film = VideoOptions(frames=81, fps=16, width=1280, height=720, steps=50)
    assert film.output_bytes(batch=2) == 2 * 81 * 1280 * 720 * 3 * 4 * 2
    assert (film.largest_only, changed(film, offload="model").largest_only) == (False, True)
