"""Writes a film for people to look at: MP4 where PyAV is installed, else a PNG that moves.

write(frames, fps=16, path=folder / "clip-0")     # .../clip-0.mp4, or clip-0.png

PyAV (the extra `film`) brings its own encoder. Without it Pillow writes all frames into one
PNG, which browsers play, without loss and some ten times larger.
"""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

FilmFrames = npt.NDArray[np.uint8]
CODECS = ("libx264", "mpeg4")
"""The first that this build of FFmpeg has."""


def write(frames: FilmFrames, fps: float, path: Path) -> Path:
    """Write frames of shape (frames, height, width, 3) to `path` with the ending that fits; the file."""
    if importlib.util.find_spec("av") is not None:
        return _mp4(frames, fps, path.with_name(f"{path.name}.mp4"))
    return _moving_png(frames, fps, path.with_name(f"{path.name}.png"))


def _moving_png(frames: FilmFrames, fps: float, file: Path) -> Path:
    first, *others = (Image.fromarray(frame) for frame in frames)
    first.save(file, save_all=True, append_images=others, duration=1000 / fps, loop=0)
    return file


def _mp4(frames: FilmFrames, fps: float, file: Path) -> Path:
    import av

    codec = next(name for name in CODECS if name in av.codecs_available)
    height, width = frames.shape[1:3]
    with av.open(str(file), mode="w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        # Half the colours in each direction, which needs even sides.
        even = width % 2 == height % 2 == 0
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p" if even else "yuv444p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return file
