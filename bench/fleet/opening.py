"""A package as it came: opened without trust, every file held against its digest.

    package = open_package(Path("h100.zip"))
    package.manifest, package.faults, package.content("h100-1a2b/sdxl--....json")

Files stay in the archive, and their digests are computed a piece at a time. A file that the manifest does not
name is not read. Bounded before anything is unpacked: the list of files, the sum of their sizes, and how much
larger a file is than its compressed form.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bench.core.untrusted import LARGEST_BYTES
from bench.errors import RecordError
from bench.fleet import signing
from bench.fleet.manifest import NAME, SIGNATURE, Manifest
from bench.store.results import parse

MOST_BYTES = 4_000_000_000
"""Of all files unpacked: a week of eight cards."""
MANIFEST_BYTES = 50_000_000
DIRECTORY_BYTES = 20_000_000
"""Of the archive's list of files, about 100 bytes each, which Python reads whole."""
MOST_TIMES = 200
"""Bytes for each compressed byte, of files above 1 MB. Records have 10 to 50, and deflate reaches 1032."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"
"""Marks of the archive's end, and of one with more or larger files than a package may have."""
DAMAGED = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""Errors of Python's zip reader for an archive that is damaged, encrypted, or of an unknown kind."""


@dataclass(frozen=True)
class OpenedPackage:
    """A package's manifest and files, and what does not fit together."""

    where: str
    manifest: Manifest
    faults: Mapping[str, str]
    """By file: what is wrong with it."""
    signed_by: str | None
    """Fingerprint of the key; `None` without a signature."""
    archive: zipfile.ZipFile
    """Open as long as the package is in use."""

    def content(self, name: str) -> bytes:
        """A record or log. Raises RecordError where it is too large for one."""
        if self.manifest.files[name].bytes > LARGEST_BYTES:
            raise RecordError(f"{self.where}: {name}: it is larger than {LARGEST_BYTES / 1e6:.0f} MB.")
        return self.archive.read(name)

    def unpack(self, name: str, path: Path) -> None:
        """Copy one file out of the package, a piece at a time. Raises OSError."""
        with self.archive.open(name) as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)


def is_package(path: Path) -> bool:
    """Whether a file is a zip, as packages are."""
    return path.is_file() and zipfile.is_zipfile(path)


def open_package(path: Path) -> OpenedPackage:
    """The package in a file. Raises RecordError where it is none, or its signature is not its manifest's."""
    try:
        _refuse_long_directory(path)
        return _opened(path, zipfile.ZipFile(path))
    except DAMAGED as error:
        raise RecordError(f"{path}: not a whole package: {error}.") from error


def _opened(path: Path, archive: zipfile.ZipFile) -> OpenedPackage:
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    for info in archive.infolist():
        if info.compress_type not in METHODS:
            raise RecordError(f"{path}: {info.filename} is compressed in another way than a package's files.")
        if info.file_size > max(1_000_000, MOST_TIMES * info.compress_size):
            raise RecordError(f"{path}: {info.filename} unpacks to more than {MOST_TIMES} times its size.")
    if len(sizes) != len(archive.infolist()):
        raise RecordError(f"{path}: it has two files of one name.")
    if NAME not in sizes:
        raise RecordError(f"{path}: it has no {NAME}.", "`bench export package` makes one.")
    if sizes[NAME] > MANIFEST_BYTES or sum(sizes.values()) > MOST_BYTES:
        raise RecordError(f"{path}: it unpacks to {sum(sizes.values()):,} bytes, more than is read.")
    content = archive.read(NAME)
    manifest = _manifest(path, content)
    try:
        signed_by = signing.signer(content, archive.read(SIGNATURE)) if SIGNATURE in sizes else None
    except RecordError as error:
        raise RecordError(f"{path}: {error.message}") from error
    faults = {}
    for name, stated in manifest.files.items():
        if name not in sizes:
            faults[name] = "it is in the manifest and not in the package"
        elif sizes[name] != stated.bytes or _sha256(archive, name) != stated.sha256:
            faults[name] = "its contents are not those of the manifest's digest"
    extra = sizes.keys() - manifest.files.keys() - {NAME, SIGNATURE}
    faults |= dict.fromkeys(sorted(extra), "it is not in the manifest")
    return OpenedPackage(str(path), manifest, faults, signed_by, archive)


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        return Manifest.model_validate(parse(content.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise RecordError(f"{path}: {NAME}: {at}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: {NAME} is not JSON: {error}.") from error


def _sha256(archive: zipfile.ZipFile, name: str) -> str:
    """Digest of a file in the archive. Raises one of `DAMAGED` where it does not unpack to what it states."""
    with archive.open(name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _refuse_long_directory(path: Path) -> None:
    """Read the size of the list of files from the archive's end. Raises RecordError."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 22 + 65_535 + 20), os.SEEK_END)
        tail = file.read()
    at = tail.rfind(END)
    if at >= 0 and (
        int.from_bytes(tail[at + 12 : at + 16], "little") > DIRECTORY_BYTES or END_64 in tail[:at]
    ):
        raise RecordError(f"{path}: it has more files than a package may have.")
