"""What is wrong with a clip, against waves whose length and loudness are known; and its WAV file."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from bench.engines.sound.clips import Clips, Wave, problems, save
from bench.engines.sound.spoken import PEAK, spoken

RATE_HZ = 8000


def tone(seconds: float = 1.0, loudness: float = 0.5) -> Wave:
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (loudness * np.sin(2 * np.pi * 440 * at_s)).astype(np.float32)[None]


def padded(sound_s: float) -> Wave:
    """A second of which only the beginning sounds."""
    clip = tone()
    clip[:, round(sound_s * RATE_HZ) :] = 0
    return clip


def one_frame(beginning: int = 0) -> Wave:
    """20 ms of noise fifty times, other noise at the beginning."""
    rng = np.random.default_rng(0)
    clip = np.tile(rng.uniform(-0.5, 0.5, (1, 160)), (1, 50))
    clip[:, :beginning] = rng.uniform(-0.5, 0.5, (1, beginning))
    return clip.astype(np.float32)


def found(clip: Wave, *, real: bool = True, seconds: float = 1.0) -> list[str]:
    return list(problems(Clips((tone(), clip), RATE_HZ), seconds, 0.02, real=real))


def test_a_good_clip_has_no_problem() -> None:
    assert found(tone()) == []
    assert found(tone(1.019)) == [], "within one frame"
    assert found(tone(loudness=1.0)) == [], "full scale is not past it"
    assert found(tone(loudness=2e-4)) == [], "quiet is not silent"
    assert found(padded(0.6)) == [], "a pause at the end"
    assert found(one_frame(beginning=1000)) == [], "an eighth is something else"
    assert found(np.tile(tone(0.25), (1, 4))) == [], "music may repeat a bar"


@pytest.mark.parametrize(
    ("clip", "says"),
    [
        (tone(0.5), "Item 1 is 0.500 s long, 1 s were asked for."),
        (tone(1.021), "Item 1 is 1.021 s long, 1 s were asked for."),
        (np.zeros((1, RATE_HZ), np.float32), "Item 1 is silent."),
        (tone(loudness=9e-5), "Item 1 is silent."),
        (np.full((1, RATE_HZ), 0.5, np.float32), "Item 1 is silent."),  # an offset is no sound
        (padded(0.4), "Item 1 is silent after 0.4 s of 1.0 s."),
        (padded(0.4) + np.float32(0.1), "Item 1 is silent after 0.4 s of 1.0 s."),
        (one_frame(), "Item 1 repeats one frame of 20 ms from beginning to end."),
        (one_frame(beginning=300), "Item 1 repeats one frame of 20 ms from beginning to end."),
        (
            np.tile(np.array([1.5, -0.5], np.float32), (1, RATE_HZ // 2)),
            "Item 1 is clipped: 50% of its samples are beyond full scale.",
        ),
        (np.full((1, RATE_HZ), np.inf, np.float32), "Item 1 contains NaN or infinity."),
        (np.zeros((1, 0), np.float32), "Item 1 is 0.000 s long, 1 s were asked for."),
    ],
)
def test_each_fault_is_a_sentence(clip: Wave, says: str) -> None:
    assert found(clip) == [says]


def test_one_number_that_is_none_is_enough() -> None:
    clip = tone()
    clip[0, 77] = np.nan
    assert found(clip) == found(clip, real=False) == ["Item 1 contains NaN or infinity."]


def test_noise_of_random_weights_may_have_any_loudness() -> None:
    assert found(tone(loudness=9.0), real=False) == []
    assert found(tone(loudness=0.0), real=False) == []
    assert found(padded(0.1), real=False) == []
    assert found(one_frame(), real=False) == []


def test_a_wav_file_holds_the_samples_of_each_channel(tmp_path: Path) -> None:
    stereo = np.concatenate([tone(), tone(loudness=3.0)])
    (path,) = save(Clips((stereo,), RATE_HZ), tmp_path, "clip")
    assert path.name == "clip-0.wav"
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, RATE_HZ, RATE_HZ)
        read = np.frombuffer(file.readframes(RATE_HZ), "<i2").reshape(-1, 2).T / 32767
    assert np.abs(read[0] - stereo[0]).max() < 1 / 32767
    assert np.abs(read[1] - stereo[1].clip(-1, 1)).max() < 1 / 32767, "cut at full scale"


def test_speech_by_arithmetic_is_the_same_each_time_and_as_long_as_asked() -> None:
    heard = spoken("Good morning, all.", 1.5, 16_000)
    assert heard.shape == (24_000,)
    assert np.array_equal(heard, spoken("Good morning, all.", 1.5, 16_000))
    assert not np.array_equal(heard, spoken("Good morning, you.", 1.5, 16_000))
    assert np.abs(heard).max() == pytest.approx(PEAK)
    assert np.isfinite(heard).all()


def test_its_letters_sound_and_its_pauses_do_not() -> None:
    parts = np.split(spoken("a, s", 2.0, 16_000), 4)
    loudness = [float(np.abs(part).max()) for part in parts]
    assert loudness[0] > 0.1
    assert loudness[1] == loudness[2] == 0
    assert loudness[3] > 0.01


def test_a_vowel_has_its_loudest_overtone_near_a_formant() -> None:
    spectrum = np.abs(np.fft.rfft(spoken("aaaa", 1.0, 16_000)))
    loudest_hz = float(np.argmax(spectrum))
    assert min(abs(loudest_hz - 750), abs(loudest_hz - 1200)) < 150


def test_text_without_letters_is_silence() -> None:
    assert not spoken("...", 0.5, 16_000).any()
    assert spoken("", 0.5, 16_000).shape == (8000,)
