"""Files as the hub has them: small ones in git, by their SHA-1; large ones in a storage, by their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMIT = "a" * 40
"""The only commit of each model here; `main` is its branch."""


@dataclass(frozen=True)
class PublishedFile:
    """A file of a model. `announced` is its hash as the hub announces it, which may be wrong."""

    content: bytes
    stored: bool
    """Whether it is in the storage (Git LFS) and not in git."""
    announced: str

    @classmethod
    def of(cls, content: bytes, *, stored: bool) -> PublishedFile:
        """A file with its true hash."""
        git = b"blob %d\0" % len(content) + content
        return cls(
            content,
            stored,
            hashlib.sha256(content).hexdigest() if stored else hashlib.sha1(git).hexdigest(),
        )

    def entry(self, name: str) -> dict[str, Any]:
        """Its entry in the list of a model's files."""
        lfs = {"lfs": {"oid": self.announced, "size": len(self.content), "pointerSize": 130}}
        own = {"type": "file", "path": name, "size": len(self.content), "oid": self.announced[:40]}
        return own | (lfs if self.stored else {})


Published = Mapping[str, PublishedFile]


def model_files(folder: Path) -> dict[str, PublishedFile]:
    """The files of a saved model, its weights in the storage."""
    return {
        path.relative_to(folder).as_posix(): PublishedFile.of(
            path.read_bytes(), stored=path.suffix == ".safetensors"
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
