"""Speech-like sound of a text, made by arithmetic: what recognition is given to hear.

Each letter gets an equal share of the clip: a vowel is a voice (a pulse train of 90 to 140 Hz) through two
formants, a consonant is noise around one frequency, anything else is a pause. The same text and length give
the same samples. It has the loudness, rhythm and spectrum of speech, but no meaning; what a
recogniser does with it takes the same work as with a recording, because lengths are fixed.

    spoken("Good morning", seconds=2.0, rate_hz=16_000)     # float32, shape (32000,)
"""

from __future__ import annotations

import hashlib

import numpy as np

from bench.core.arrays import Floats
from bench.engines.sound.clips import Wave

FORMANTS_HZ = {"a": (750, 1200), "e": (450, 1900), "i": (300, 2300), "o": (450, 850), "u": (320, 800)}
BAND_HZ = (500.0, 5000.0)
"""Frequency of the noise of consonants, by their place in the alphabet."""
WIDTH_HZ = 120.0
PITCH_HZ, SWING_HZ = 115.0, 25.0
PEAK = 0.5


def spoken(text: str, seconds: float, rate_hz: int) -> Wave:
    """The text as a clip of exactly this length, at half of full scale."""
    count = round(seconds * rate_hz)
    letters = text.lower() or " "
    noise = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
    at_s = np.arange(count) / rate_hz
    pitch_hz = PITCH_HZ + SWING_HZ * np.sin(2 * np.pi * 0.4 * at_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    edges = np.linspace(0, count, len(letters) + 1).round().astype(int)
    samples = np.zeros(count)
    for letter, begin, end in zip(letters, edges[:-1], edges[1:], strict=True):
        if letter.isalpha() and end > begin:
            voice = _vowel(letter, phase[begin:end], pitch_hz[begin:end])
            if letter not in FORMANTS_HZ:
                voice = _consonant(letter, at_s[begin:end], noise)
            samples[begin:end] = voice * np.hanning(end - begin + 2)[1:-1]
    peak = np.abs(samples).max(initial=0.0)
    return (samples * (PEAK / peak if peak else 0.0)).astype(np.float32)


def _vowel(letter: str, phase: Floats, pitch_hz: Floats) -> Wave:
    """Overtones of the voice, each as loud as the formants near it let it be."""
    total = np.zeros_like(phase)
    for overtone in range(1, 25):
        at_hz = overtone * pitch_hz
        loudness = sum(np.exp(-(((at_hz - f) / WIDTH_HZ) ** 2)) for f in FORMANTS_HZ.get(letter, ()))
        total += np.sin(overtone * phase) * (loudness + 0.05 / overtone)
    return total.astype(np.float32)


def _consonant(letter: str, at_s: Floats, noise: np.random.Generator) -> Wave:
    """Noise shifted to the letter's own frequency."""
    low, high = BAND_HZ
    at_hz = low + (high - low) * (ord(letter) % 26) / 25
    return (0.3 * noise.standard_normal(len(at_s)) * np.sin(2 * np.pi * at_hz * at_s)).astype(np.float32)
