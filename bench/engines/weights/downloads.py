"""Content of downloaded files against the SHA-256 that the hub announced for each.

    before = announced_files(cache)
    ...                                                # a download
    check_downloads(announced_files(cache) - before)   # EngineError; the wrong file is removed

The hub's client checks the size of a file that it fetches over HTTP, and not its content. In its cache a file
of Git LFS is named by the SHA-256 that the hub announced. A new file is read once, right after its download,
while it is in the page cache: 1.3 s a GB on a server's processor. Small files, of git, are left out: they are
named by a SHA-1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bench.errors import EngineError

SHA256 = re.compile(r"[0-9a-f]{64}")


def announced_files(cache: Path) -> frozenset[Path]:
    """Files of the cache that are named by their SHA-256; none for a cache that cannot be read."""
    with suppress(OSError):
        return frozenset(path for path in cache.glob("models--*/blobs/*") if SHA256.fullmatch(path.name))
    return frozenset()


def check_downloads(files: Iterable[Path]) -> None:
    """Remove each file whose SHA-256 is not its name. Raises EngineError for the first."""
    wrong = [path for path in sorted(files) if not _is_as_announced(path)]
    for path in wrong:
        path.unlink(missing_ok=True)
    if wrong:
        repository = wrong[0].parent.parent.name.removeprefix("models--").replace("--", "/")
        raise EngineError(
            f"A file of {repository} has another SHA-256 than the hub announced ({wrong[0].name[:12]}).",
            "It was removed: run again, and check the proxy if it recurs.",
            missing=True,
        )


def _is_as_announced(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == path.name
    except OSError:
        return False
