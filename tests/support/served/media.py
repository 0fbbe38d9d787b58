"""Pictures and clips of a server of ours, right ones and wrong ones."""

from __future__ import annotations

import base64
import io
import struct
from typing import Any

import numpy as np

RATE_HZ = 8000


def picture(size: tuple[int, int]) -> bytes:
    """A PNG of noise."""
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def clip(seconds: float, *, peak: float = 0.5, stated: int | None = None) -> bytes:
    """A WAV file of noise; `stated` is the length that its head has in place of its own."""
    samples = np.random.default_rng(0).uniform(-peak, peak, round(seconds * RATE_HZ)) * 32767
    data = samples.astype("<i2").tobytes()
    length = len(data) if stated is None else stated
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    head = struct.pack("<4sI4s", b"RIFF", (36 + length) & 0xFFFFFFFF, b"WAVE")
    return head + form + struct.pack("<4sI", b"data", length) + data


def images_answer(asked: dict[str, Any], manner: str) -> dict[str, Any]:
    """The JSON of a picture of the size that was asked for, or of another `manner`."""
    width, height = map(int, asked["size"].split("x"))
    right = picture((width, height))
    contents = {
        "": right,
        "wrong-size": picture((width // 2, height)),
        "cut": right[: len(right) // 2],
        "not-an-image": b"<html>busy</html>",
        "empty": b"",
    }
    if manner == "url":
        return {"data": [{"url": "https://example.org/picture.png"}]}
    if manner == "none":
        return {"data": []}
    return {"created": 1, "data": [{"b64_json": base64.b64encode(contents[manner]).decode()}]}


def speech_answer(seconds: float, manner: str) -> bytes:
    """The bytes of a clip, or of another `manner`."""
    return {
        "": clip(seconds),
        "streamed": clip(seconds, stated=0xFFFFFFFF),
        "silent-clip": clip(seconds, peak=0.0),
        "short": clip(0.01),
        "not-audio": b'{"error": "no voice of that name"}',
        "empty": b"",
    }[manner]
