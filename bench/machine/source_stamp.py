"""The commit of source files that travel without their `.git`: a small file beside `bench/`.

    write(folder, CodeVersion(commit="822c6c5...", dirty=False))   # where git is
    read(folder)                                              # where it is not

The stamp has a digest of the package's sources. Beside other sources it is out of date: no commit then.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bench.core.provenance import CodeVersion

FILE = ".joulebench-commit"
OUTSIDE = "not run from a git checkout"
OTHER_SOURCES = f"{FILE} was written for other sources"
DAMAGED = f"{FILE} cannot be read"


def write(folder: Path, version: CodeVersion) -> Path:
    """Keep what is known of the commit in `folder`. Raises OSError."""
    path = folder / FILE
    text = json.dumps({"commit": version.commit, "dirty": version.dirty, "sources": digest(folder)})
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def read(folder: Path, without: str = OUTSIDE) -> CodeVersion:
    """`commit` and `dirty` by the stamp in `folder`; both `null` with the reason if it is out of date.

    `without` is git's own reason, for a folder without a stamp.
    """
    try:
        stamp = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if stamp["sources"] == digest(folder):
            return CodeVersion(commit=str(stamp["commit"]), dirty=bool(stamp["dirty"]))
        reason = OTHER_SOURCES
    except FileNotFoundError:
        reason = without
    except (OSError, ValueError, TypeError, KeyError):
        reason = DAMAGED
    return CodeVersion(commit=None, dirty=None, absent={"commit": reason})


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the package's files."""
    total = hashlib.sha256()
    package = folder / "bench"
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            total.update(f"{path.relative_to(package).as_posix()}\n".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
