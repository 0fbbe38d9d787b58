"""Texts of a batch as files, for a person to look at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def save_texts(texts: Iterable[str], folder: Path, stem: str) -> list[Path]:
    """Write each text as `<stem>-<i>.txt`."""
    paths = []
    for i, text in enumerate(texts):
        paths.append(folder / f"{stem}-{i}.txt")
        paths[-1].write_text(text, encoding="utf-8")
    return paths
