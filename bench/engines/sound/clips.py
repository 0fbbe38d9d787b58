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
SILENT_SHARE = 0.5
"""Share of a clip that may be silent at its end: past it, most of its seconds were not made but padded."""
REPEATED_SHARE = 0.95
"""Share of samples that are those of one frame before, from which a clip is one frame over and over."""
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
    """Faults of each clip: its length (to one frame), NaN; of `real` weights also those of `_unheard`.

    Random weights make noise of any kind, so nothing else is looked for in theirs.
    """
    for i, (clip, length_s) in enumerate(zip(clips.samples, clips.seconds, strict=True)):
        if abs(length_s - seconds) > frame_s:
            yield f"Item {i} is {length_s:.3f} s long, {seconds:g} s were asked for."
        if not clip.size:
            continue
        if not np.isfinite(clip).all():
            yield f"Item {i} contains NaN or infinity."
        elif real and (problem := _unheard(clip, clips.rate_hz, frame_s)):
            yield f"Item {i} {problem}"


def _unheard(clip: Wave, rate_hz: int, frame_s: float) -> str | None:
    """Fault that no trained weights make: silence, a padded end, one frame over and over, distortion."""
    if np.ptp(clip, axis=1).max() < 2 * SILENT_PEAK:  # a constant offset is silent, too
        return "is silent."
    length_s, sound_s = clip.shape[1] / rate_hz, _end_of_sound(clip) / rate_hz
    if sound_s < (1 - SILENT_SHARE) * length_s:
        return f"is silent after {sound_s:.1f} s of {length_s:.1f} s."
    if (share := float(np.mean(np.abs(clip) > 1))) > CLIPPED_SHARE:
        return f"is clipped: {share:.0%} of its samples are beyond full scale."
    if _is_one_frame(clip, round(frame_s * rate_hz)):
        return f"repeats one frame of {frame_s * 1000:.0f} ms from beginning to end."
    return None


def _end_of_sound(clip: Wave) -> int:
    """Samples up to the last that differs from the very end, in any channel."""
    differs = np.abs(clip - clip[:, -1:]).max(axis=0) >= SILENT_PEAK
    return int(np.flatnonzero(differs)[-1]) + 1


def _is_one_frame(clip: Wave, frame: int) -> bool:
    """Whether nearly all samples are those of one frame before, as where one code is written throughout."""
    if not 0 < frame <= clip.shape[1] // 2:
        return False
    moved = np.abs(clip[:, frame:] - clip[:, :-frame]).max(axis=0)
    return bool(np.mean(moved < SILENT_PEAK) >= REPEATED_SHARE)


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
