"""`scripts/bench`: which environment a verb is given, without making one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench"


@pytest.mark.parametrize(
    ("line", "environment"),
    [
        ("run smoke", ""),
        ("run --help", "base"),
        ("run smoke -h", "base"),
        ("report", "drawing"),
        ("list", "base"),
        ("watch -- python train.py --help", "base"),
        ("calibrate", ""),
        ("--help", "base"),
        ("", "base"),
    ],
)
def test_help_and_reading_need_no_pytorch(line: str, environment: str, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    bench = Path(shutil.copy(SCRIPT, tmp_path / "scripts"))
    for path, text in ((tmp_path / "scripts" / "setup", 'echo "set up:$*"'), (python, 'echo "asked:$*"')):
        path.write_text(f"#!/usr/bin/env bash\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
    done = subprocess.run([bench, *line.split()], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"set up:{environment}", f"asked:-m bench {line}".rstrip()]
