"""A package as it came: opened without trust, every file held against its digest.

    package = open_package(Path("h100.zip"))
    package.manifest, package.faults, package.files["h100-1a2b/sdxl--....json"]

Nothing is unpacked to disk, a file that the manifest does not name is not read, and sizes are bounded.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bench.errors import RecordError
from bench.fleet import signing
from bench.fleet.manifest import NAME, SIGNATURE, Manifest
from bench.fleet.package import digests
from bench.store.results import parse

MOST_BYTES = 4_000_000_000
"""Of all files unpacked: a week of eight cards."""
MANIFEST_BYTES = 50_000_000
DAMAGED = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
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
    files: Mapping[str, bytes]
    faults: Mapping[str, str]
    """By file: what is wrong with it. It is not in `files` then."""
    signed_by: str | None
    """Fingerprint of the key; `None` without a signature."""


def is_package(path: Path) -> bool:
    """Whether a file is a zip, as packages are."""
    return path.is_file() and zipfile.is_zipfile(path)


def open_package(path: Path) -> OpenedPackage:
    """The package in a file. Raises RecordError where it is none, or its signature is not its manifest's."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _opened(path, archive)
    except DAMAGED as error:
        raise RecordError(f"{path}: not a whole package: {error}.") from error


def _opened(path: Path, archive: zipfile.ZipFile) -> OpenedPackage:
    sizes = {info.filename: info.file_size for info in archive.infolist()}
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
    files, faults = {}, {}
    for name, stated in manifest.files.items():
        if name not in sizes:
            faults[name] = "it is in the manifest and not in the package"
        elif sizes[name] != stated.bytes or digests({name: (found := archive.read(name))})[name] != stated:
            faults[name] = "its contents are not those of the manifest's digest"
        else:
            files[name] = found
    extra = sizes.keys() - manifest.files.keys() - {NAME, SIGNATURE}
    faults |= dict.fromkeys(sorted(extra), "it is not in the manifest")
    return OpenedPackage(str(path), manifest, files, faults, signed_by)


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        return Manifest.model_validate(parse(content.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        raise RecordError(f"{path}: {NAME}: {at}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: {NAME} is not JSON: {error}.") from error
