"""Finished audio on the host: how long it is, what is wrong with it, and WAV files of it.

clips = Clips((samples,), rate_hz=32_000)    # samples: float32 of shape (channels, length), full scale is 1
clips.seconds                                # (10.0,)
problems(clips, seconds=10.0, frame_s=0.02, real=True)
"""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Wave = npt.NDArray[np.float32]

SILENT_PEAK = 1e-4
"""80 dB below full scale: less than three steps of a 16-bit file, which still has the quietest music."""
CLIPPED_SHARE = 0.05
"""Share of samples past full scale from which a clip is distorted throughout; loud music has one in 1000."""
FULL_SCALE = 32767


@dataclass(frozen=True)
class Clips:
    """The clips of a batch. `calls` counts the calls of each phase's network."""

    samples: tuple[Wave, ...]
    rate_hz: int
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> tuple[float, ...]:
        """Length of each clip."""
        return tuple(clip.shape[1] / self.rate_hz for clip in self.samples)


def problems(clips: Clips, seconds: float, frame_s: float, *, real: bool) -> Iterator[str]:
    """Faults of each clip: its length (to one frame), NaN, silence, clipping.

    Random weights make noise of any loudness, so silence and clipping are looked for in `real` ones only.
    """
    for i, (clip, length_s) in enumerate(zip(clips.samples, clips.seconds, strict=True)):
        if abs(length_s - seconds) > frame_s:
            yield f"Item {i} is {length_s:.3f} s long, {seconds:g} s were asked for."
        if not clip.size:
            continue
        if not np.isfinite(clip).all():
            yield f"Item {i} contains NaN or infinity."
        elif real and np.abs(clip).max() < SILENT_PEAK:
            yield f"Item {i} is silent."
        elif real and (share := float(np.mean(np.abs(clip) > 1))) > CLIPPED_SHARE:
            yield f"Item {i} is clipped: {share:.0%} of its samples are beyond full scale."


def save(clips: Clips, folder: Path, stem: str) -> list[Path]:
    """Write each clip as `<stem>-<i>.wav`, 16 bits a sample, cut at full scale."""
    paths = []
    for i, clip in enumerate(clips.samples):
        paths.append(folder / f"{stem}-{i}.wav")
        whole = np.rint(np.nan_to_num(clip).clip(-1, 1) * FULL_SCALE).astype("<i2")
        with wave.open(str(paths[-1]), "wb") as file:
            file.setparams((len(clip), 2, clips.rate_hz, clip.shape[1], "NONE", ""))
            file.writeframes(whole.T.tobytes())
    return paths
