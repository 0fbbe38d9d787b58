"""Pictures and sound of a server's answers, looked at after the window: are they what was asked for?

    picture_fault(content, 1024, 1024)       # None, or Fault("wrong-size", "a picture has 512x512, ...")
    wave_seconds(content)                    # 3.2; raises ValueError for another format

A picture is decoded to its last row, so one that was cut is found. Seconds of sound are those of the samples
that came. The length in a WAV file's head is not used: servers that stream write it too early.
"""

from __future__ import annotations

import io
import struct
from typing import NamedTuple

LEAST_SECONDS = 0.05
"""Least length of speech: a syllable takes 0.1 s."""
RIFF, CHUNK = struct.Struct("<4sI4s"), struct.Struct("<4sI")
FORMAT = struct.Struct("<HHIIHH")
SILENT_PEAK = 1 / 256
"""Of 16-bit samples, of full scale: noise of a converter is below it."""


MAGIC = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"RIFF": "wav"}
"""Beginnings of files by their suffix; WebP begins as WAV does and has its name later."""


class Fault(NamedTuple):
    """A reason code and what was seen."""

    code: str
    message: str


def suffix(content: bytes) -> str:
    """Suffix of an output's file; `txt` where it is text."""
    if content[8:12] == b"WEBP":
        return "webp"
    return next((name for magic, name in MAGIC.items() if content.startswith(magic)), "txt")


def picture_fault(content: bytes, width: int, height: int) -> Fault | None:
    """What is wrong with a picture; `None` for one of the size that was asked for."""
    from PIL import Image, UnidentifiedImageError

    if not content:
        return Fault("empty", "the picture has no bytes")
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            size = picture.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return Fault("not-an-image", str(error).split(" <")[0] or type(error).__name__)
    if size != (width, height):
        return Fault("wrong-size", f"a picture has {size[0]}x{size[1]}, {width}x{height} were asked for")
    return None


def sound_fault(content: bytes) -> Fault | None:
    """What is wrong with sound; `None` where it is a WAV file with something to hear."""
    if not content:
        return Fault("empty", "the clip has no bytes")
    try:
        seconds = wave_seconds(content)
    except ValueError as error:
        return Fault("not-audio", str(error))
    if seconds < LEAST_SECONDS:
        return Fault("empty", f"the clip has {seconds:.3f} s")
    return Fault("silent-clip", "the clip is silent") if _is_silent(content) else None


def wave_seconds(content: bytes) -> float:
    """Length of the samples that came. Raises ValueError."""
    bytes_per_s, start, end, _ = _samples(content)
    return (end - start) / bytes_per_s


def _samples(content: bytes) -> tuple[int, int, int, int]:
    """Bytes a second, first and last byte of the samples, and bits of one. Raises ValueError."""
    if len(content) < RIFF.size or RIFF.unpack_from(content)[::2] != (b"RIFF", b"WAVE"):
        raise ValueError("it is not a WAV file; ask for one with `response_format: wav`")
    at, bytes_per_s, bits = RIFF.size, 0, 0
    while at + CHUNK.size <= len(content):
        name, length = CHUNK.unpack_from(content, at)
        at += CHUNK.size
        if name == b"fmt " and at + FORMAT.size <= len(content):
            _, _, _, bytes_per_s, _, bits = FORMAT.unpack_from(content, at)
        elif name == b"data":
            if not bytes_per_s:
                raise ValueError("its samples come before their format")
            # A server that streams writes 0 or the largest number for a length that it does not know yet.
            return bytes_per_s, at, min(at + length, len(content)) if length else len(content), bits
        at += length + length % 2
    raise ValueError("it has no samples")


def _is_silent(content: bytes) -> bool:
    """Whether all samples of 16 bits are about equal; other formats are not looked at."""
    import numpy as np

    _, start, end, bits = _samples(content)
    if bits != 16:
        return False
    samples = np.frombuffer(content[start : start + (end - start) // 2 * 2], "<i2").astype(np.int32)
    return int(np.ptp(samples)) < SILENT_PEAK * 32768
