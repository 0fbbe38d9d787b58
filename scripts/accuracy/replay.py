"""Recorded power of real cards around work, where a folder beside this checkout has the recordings.

The recordings are not part of this project (their README names sources and licences). Without them `recorded`
gives nothing, and a test that needs them is skipped with a note.
"""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np

from bench.core.arrays import Floats
from scripts.accuracy.waves import ROOM_S, Power, Scene, Wave

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "traces"
"""Where the recordings lie unless `JOULEBENCH_TEST_TRACES` names another folder."""
METERED = "_pmd.csv.gz"
"""Of an external meter at 4.9 kHz; other recordings have no fast edges."""


def traces_folder() -> Path | None:
    """Where the recordings are, if they are."""
    folder = Path(os.environ.get("JOULEBENCH_TEST_TRACES", BESIDE))
    return folder if (folder / "edges.csv").is_file() else None


def recorded(folder: Path) -> dict[str, Wave]:
    """A wave for each metered recording, by card and kind of work."""
    with (folder / "edges.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["file"].endswith(METERED)]
    return {
        row["file"].removesuffix(METERED): _wave(
            folder / row["file"], float(row["start_s"]), float(row["end_s"])
        )
        for row in rows
    }


def _wave(path: Path, start_s: float, end_s: float) -> Wave:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1, usecols=(0, 1))
    t_s, watts = table[:, 0], table[:, 1]
    return lambda seconds, _rng: resized(t_s, watts, start_s, end_s, seconds)


def resized(t_s: Floats, watts: Floats, start_s: float, end_s: float, seconds: float) -> Scene:
    """Work made shorter or longer in its middle; what is at its edges and around it is as recorded.

    Before the recording and after it, the mean of its first and last half second goes on.
    """
    half_s = min(seconds, end_s - start_s) / 2
    head, tail = t_s <= start_s + half_s, t_s >= end_s - half_s
    parts_t, parts_w = [t_s[head] - start_s], [watts[head]]
    missing_s = seconds - 2 * half_s
    middle = (t_s > start_s + half_s / 2) & (t_s < end_s - half_s / 2)
    middle_t, middle_w = t_s[middle] - t_s[middle][0], watts[middle]
    done_s = 0.0
    while done_s < missing_s:
        kept = middle_t < missing_s - done_s
        parts_t.append(half_s + done_s + middle_t[kept])
        parts_w.append(middle_w[kept])
        done_s += float(middle_t[-1])
    parts_t.append(t_s[tail] - end_s + seconds)
    parts_w.append(watts[tail])
    first_w, last_w = float(watts[t_s < t_s[0] + 0.5].mean()), float(watts[t_s > t_s[-1] - 0.5].mean())
    all_t, all_w = np.concatenate(parts_t), np.concatenate(parts_w)
    edges_t = [np.array([-ROOM_S, all_t[0]]), all_t, np.array([all_t[-1], seconds + ROOM_S])]
    edges_w = [np.array([first_w, first_w]), all_w, np.array([last_w, last_w])]
    ordered_s = np.maximum.accumulate(np.concatenate(edges_t))  # parts that meet differ in the last bit
    return Scene(Power(ordered_s, np.concatenate(edges_w)), seconds)
