"""Files of other projects, as an import reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    """A function that stores text, or content as JSON, under an odd name."""

    def write(content: Any, name: str = "a 'file' of theirs.json") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write
