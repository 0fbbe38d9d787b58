"""A powercap tree as Linux shows it, on a made-up machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

WRAPS_AT_UJ = 262_143_328_850


def add_zone(
    root: Path, folder: str, name: str, energy_uj: int | str, wraps_at_uj: int = WRAPS_AT_UJ
) -> Path:
    """A zone as Linux shows it; returns its counter's file."""
    zone = root / folder
    zone.mkdir(parents=True)
    (zone / "name").write_text(f"{name}\n")
    (zone / "max_energy_range_uj").write_text(f"{wraps_at_uj}\n")
    counter = zone / "energy_uj"
    counter.write_text(f"{energy_uj}\n")
    return counter


def deny(monkeypatch: pytest.MonkeyPatch, *counters: Path) -> None:
    """Refuse these files, which plain modes do not do to root."""
    read_text = Path.read_text

    def refusing(path: Path, *args: Any, **kwargs: Any) -> str:
        if path in counters:
            raise PermissionError(13, "Permission denied", str(path))
        return read_text(path, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", refusing)
