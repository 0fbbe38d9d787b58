"""Files of records: read with what is wrong in words, written whole or not at all.

    record = read(path)                    # RecordError in words where it is none
    write_atomically(path, to_json(record))      # temporary file, fsync, rename

`bench.store.machine_folder` has the folder that a run writes them into.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json as from_json_fast

from bench.core.model import SchemaModel
from bench.core.record import Record
from bench.core.secrets import masker
from bench.core.untrusted import refuse_large_integers, refuse_many_values, text_in
from bench.errors import RecordError
from bench.store import own_names, versions

IDENTITY = frozenset(
    {"case", "requested", "label", "unit", "schema", "run_id", "id", "name", "uuid", "libraries", "hash"}
)
"""Keys whose values are kept as they are: hashes and ids are made of them."""
DEVICE_OF_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
SURROGATE = re.compile("[\ud800-\udfff]")


def slug(text: str) -> str:
    """A file-name-safe form: small letters, digits, dot and dash, and no name of a device of Windows."""
    safe = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:80].rstrip("-.") or "unnamed"
    return f"a-{safe}" if DEVICE_OF_WINDOWS.match(safe) else safe


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write beside the target, flush to disk, rename. Raises OSError; the target is whole or untouched.

    A link stays one, and a device or a pipe (/dev/null, /dev/stdout) is written to, never replaced.
    """
    whole = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(whole)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(whole)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside the target to be filled, which takes its place at the end. Raises OSError.

    The target is whole or untouched: the file is flushed to disk first, and removed after an error.
    """
    path = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        os.close(handle)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def to_json(stored: SchemaModel) -> str:
    """A record, or another file of ours, as text: the schema's field order, two spaces, a final newline."""
    masked, without_names = masker(), own_names.remover()
    content = _anonymous(
        legible(stored.model_dump(mode="json", by_alias=True)), lambda text: without_names(masked(text))
    )
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _anonymous(value: Any, without_names: Callable[[str], str], key: str = "") -> Any:
    """The same without names of this user and machine, outside of what identifies the work and the device."""
    if isinstance(value, str):
        return value if key in IDENTITY else without_names(value)
    if isinstance(value, dict):
        return {
            name: item if name in IDENTITY else _anonymous(item, without_names, name)
            for name, item in value.items()
        }
    return [_anonymous(item, without_names, key) for item in value] if isinstance(value, list) else value


def legible(value: Any) -> Any:
    """The same with U+FFFD for each byte of a path, name or variable that was not UTF-8.

    Python keeps such bytes as lone surrogates (PEP 383), which no reader of JSON needs to accept.
    """
    if isinstance(value, str):
        return value if value.isascii() else SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: legible(item) for key, item in value.items()}
    return [legible(item) for item in value] if isinstance(value, list) else value


def read(path: Path) -> Record:
    """One record from a file. Raises RecordError with what is wrong and where."""
    try:
        text = text_in(path)
    except FileNotFoundError:
        raise RecordError(f"{path}: no such file.", "`python -m bench run` prints what it wrote.") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(f"{path}: not a JSON file: {error}.") from error
    return from_json(text, str(path))


def from_json(text: str, where: str) -> Record:
    """One record from its text, of this or an older schema. Raises RecordError that begins with `where`."""
    try:
        raw = parse(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{where}: not a JSON file: {error}.") from error
    try:
        return Record.model_validate(versions.upgraded(raw))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        raise RecordError(
            f"{where}: not a whole record: {at}: {first['msg'].removeprefix('Value error, ')}."
        ) from error
    except ValueError as error:
        raise RecordError(f"{where}: {error}.") from error


def parse(text: str) -> Any:
    """JSON and nothing beside it: no NaN, and no halves of characters that could never be printed."""
    refuse_many_values(text)
    try:
        raw = from_json_fast(text, allow_inf_nan=False)  # refuses the same, in half the time
    except ValueError:
        raw = _parse_for_the_reason(text)
    refuse_large_integers(text, raw)
    return raw


def _parse_for_the_reason(text: str) -> Any:
    """The same by the standard library, whose errors name the fault in common words."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not a number in JSON")

    try:
        raw = json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if "\\ud" in text.lower():
        json.dumps(raw, ensure_ascii=False).encode()
    return raw
