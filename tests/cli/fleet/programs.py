"""Programs of other makers, played by shell scripts."""

from __future__ import annotations

from pathlib import Path


def program(folder: Path, name: str, text: str) -> None:
    """A program of this name on the path."""
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
