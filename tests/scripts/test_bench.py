"""`scripts/bench`: which environment a verb is given, without making one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "scripts" / "setup"
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


@pytest.mark.parametrize(
    ("made", "announced"),
    [
        ("run", "what draws charts (altair, vl-convert), about 0.1 GB more on disk"),
        ("", "about 0.6 GB on disk"),
    ],
)
def test_what_draws_charts_is_announced_with_its_size_and_time(
    made: str, announced: str, tmp_path: Path
) -> None:
    """Beside an environment that measures already it is a small addition, not an environment."""
    (tmp_path / "scripts").mkdir()
    setup = Path(shutil.copy(SETUP, tmp_path / "scripts"))
    for path in (tmp_path / ".venv" / "bin" / "python", tmp_path / "bin" / "uv"):
        path.parent.mkdir(parents=True)
        path.write_text("#!/usr/bin/env bash\n", encoding="utf-8")
        path.chmod(0o755)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    if made:
        wanted = "cat pyproject.toml constraints.txt | cksum"
        done = subprocess.run(wanted, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
        (tmp_path / ".venv" / f"made-for-{made}").write_text(done.stdout, encoding="utf-8")
    paths = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    found = subprocess.run(
        [setup, "drawing"], env={"PATH": paths}, capture_output=True, text=True, check=True, timeout=60
    )
    assert f"Installing into .venv by uv: {announced}" in found.stderr
    assert "half a minute or more" in found.stderr
