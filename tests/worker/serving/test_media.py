"""Pictures and speech of a server: counted as they really came, and wrong ones recorded as failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.catalog.cases import Case
from bench.core.modalities.image import ImageOptions
from bench.core.modalities.speech import SpeechOptions
from bench.core.modalities.video import VideoOptions
from bench.errors import EngineError
from bench.worker import producers
from bench.worker.producer import WorkRequest
from bench.worker.serving.media import wave_seconds
from tests.support.served.media import clip
from tests.support.served.producing import case, producer, window
from tests.support.served.server import Manners, serving

PICTURE = ImageOptions(width=64, height=32, steps=4)


def of_images(spec: dict[str, Any] | None = None, **asked: Any) -> Case:
    return case(spec, options=PICTURE, engine="image", **asked)


def of_speech(spec: dict[str, Any] | None = None, **asked: Any) -> Case:
    return case(spec, options=SpeechOptions(seconds=10.0), engine="speech", **asked)


def test_pictures_count_one_by_one_and_have_no_tokens(tmp_path: Path) -> None:
    manners = Manners(first_s=0.03)
    with serving(manners) as url, producer(of_images(), url) as made:
        produced = made.produce(WorkRequest(0.2, batches=1))
        checked = made.check(tmp_path, "x")
    found = produced.served
    assert found is not None
    assert len(produced.done) == found.finished >= 1
    assert produced.shares_inside == (1.0,) * len(produced.batches)
    assert (found.output_tokens, found.output_tokens_by, found.ttft_s) == (None, None, None)
    assert found.absent["output_tokens"] == "an answer of /images/generations has no tokens"
    assert found.end_to_end_s is not None
    assert found.end_to_end_s.median >= 0.03
    assert found.reason_codes == []
    assert sorted(tmp_path.iterdir())[0].suffix == ".png"
    assert all(check.tokens is None for check in checked.found)
    asked = {**manners.seen[1], "prompt": None}
    assert asked == {
        "model": "tiny",
        "prompt": None,
        "n": 1,
        "size": "64x32",
        "response_format": "b64_json",
        "num_inference_steps": 4,
        "seed": 0,
    }


def test_several_pictures_at_once_count_by_the_share_of_their_time_inside() -> None:
    with serving(Manners(first_s=0.06)) as url:
        produced = window(of_images(kind="concurrency", load=4), url, 0.3)
    assert produced.served is not None
    assert produced.served.running == pytest.approx(4, rel=0.2)
    made = sum(produced.shares_inside)
    seconds = (produced.end_ns - produced.start_ns) / 1e9
    assert produced.served.end_to_end_s is not None
    assert made == pytest.approx(4 * seconds / produced.served.end_to_end_s.median, rel=0.5)


@pytest.mark.parametrize(
    ("manner", "code"),
    [
        ("wrong-size", "wrong-size"),
        ("cut", "not-an-image"),
        ("not-an-image", "not-an-image"),
        ("empty", "empty"),
        ("none", "empty"),
        ("url", "no-picture"),
    ],
)
def test_a_wrong_picture_is_a_recorded_failure_and_counts_nothing(manner: str, code: str) -> None:
    with serving(Manners(first_s=0.02, media=manner)) as url, pytest.raises(EngineError) as caught:
        window(of_images(), url)
    assert f"({code})" in str(caught.value), "the first answer is looked at before anything is measured"
    with serving(Manners(first_s=0.02, media=manner, media_every=2)) as url:
        later = window(of_images(kind="concurrency", load=2), url, 0.3)
    assert later.served is not None
    assert later.served.failed[code] >= 1
    assert later.served.reason_codes == ["requests-failed"]
    assert len(later.done) == later.served.finished >= 1


def test_a_server_whose_every_picture_is_wrong_ends_the_case() -> None:
    manners = Manners(first_s=0.02, media="wrong-size", media_from=2)
    with serving(manners) as url, pytest.raises(EngineError) as caught:
        window(of_images(), url)
    assert "(wrong-size): a picture has 32x32, 64x32 were asked for." in str(caught.value)


@pytest.mark.parametrize("manner", ["", "streamed"])
def test_speech_counts_the_seconds_that_came(manner: str, tmp_path: Path) -> None:
    manners = Manners(first_s=0.02, clip_s=1.25, media=manner)
    with serving(manners) as url, producer(of_speech(), url) as made:
        produced = made.produce(WorkRequest(0.2, batches=1))
        checked = made.check(tmp_path, "x")
    found = produced.served
    assert found is not None
    assert [check.seconds for check in checked.found] == [(1.25,)] * found.finished
    assert found.ttft_s is not None
    assert found.end_to_end_s is not None
    assert found.ttft_s.median < found.end_to_end_s.median, "the first sound comes before the last"
    assert sorted(tmp_path.iterdir())[0].suffix == ".wav"
    assert {key: manners.seen[1][key] for key in ("response_format", "voice")} == {
        "response_format": "wav",
        "voice": "alloy",
    }
    assert len({asked["input"] for asked in manners.seen}) == len(manners.seen)


@pytest.mark.parametrize(
    ("manner", "code"),
    [
        ("silent-clip", "silent-clip"),
        ("short", "empty"),
        ("not-audio", "not-audio"),
        ("empty", "empty"),
    ],
)
def test_a_wrong_clip_is_a_recorded_failure(manner: str, code: str) -> None:
    with serving(Manners(media=manner)) as url, pytest.raises(EngineError) as caught:
        window(of_speech(), url)
    assert f"({code})" in str(caught.value)
    with serving(Manners(media=manner, media_every=2)) as url:
        later = window(of_speech(kind="concurrency", load=2), url, 0.3).served
    assert later is not None
    assert later.failed[code] >= 1
    assert later.finished >= 1


def test_a_clip_is_as_long_as_its_samples_and_not_as_its_head_states() -> None:
    assert wave_seconds(clip(2.0)) == pytest.approx(2.0)
    assert wave_seconds(clip(2.0, stated=0)) == pytest.approx(2.0)
    assert wave_seconds(clip(2.0)[:-8000]) == pytest.approx(1.5)
    for wrong, says in ((b"ID3", "is not a WAV file"), (clip(1.0)[:30], "it has no samples")):
        with pytest.raises(ValueError, match=says):
            wave_seconds(wrong)


def test_what_no_api_makes_is_refused_before_a_server_is_started() -> None:
    film = VideoOptions(width=64, height=64, steps=2, frames=9, fps=8)
    for of, says in (
        (case(options=film, engine="video"), "No API of a server makes video_seconds"),
        (case({"api": "images"}), "No API of a server named images makes pages"),
        (of_images(kind="saturated", load=2, requests=10), "saturated is a window of tokens"),
    ):
        with serving(Manners()) as url, pytest.raises(EngineError) as caught:
            window(of, url)
        assert says in str(caught.value)
    assert producers.of(of_images().workload).packages(of_images()) == ("httpx2", "PIL")
