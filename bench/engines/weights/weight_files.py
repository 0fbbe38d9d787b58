"""Completeness of a model's folder: weights that are not cut off, all shards, configuration, tokenizer.

    problem = incomplete(folder, "model")      # None, or an EngineError that names the file

Only the headers of .safetensors files are read. The format: eight bytes with the header's length, the header
(JSON with each tensor's offsets), then the tensors; so the header gives the length of the file.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from bench.core.untrusted import json_of, text_in
from bench.errors import EngineError

WeightFilesKind = Literal["model", "network", "pipeline", "adapter"]
"""One network of transformers, with a tokenizer or without, a diffusers pipeline of components, or the
numbers of an adapter without a configuration."""
POINTER = b"version https://git-lfs.github.com/spec/"
LARGEST_HEADER_BYTES = 100_000_000
"""As of the safetensors library itself."""
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
_DOWNLOAD = "Download the model anew (hf download, or git lfs pull in a clone), or use --weights random."


def incomplete(
    folder: Path, kind: WeightFilesKind, where: str | None = None, *, own_code: bool = False
) -> EngineError | None:
    """Fault that keeps the folder from loading, or `None`. `own_code`: the model's code may be run."""
    named = where or str(folder)
    try:
        refuse_pickles((path.name for path in folder.rglob("*")), named)
    except EngineError as error:
        return error
    for problem in _problems(folder, kind, own_code):
        return EngineError(f"{named}: {problem}", _DOWNLOAD, missing=True)
    return None


def fingerprint(folder: Path) -> str:
    """SHA-256 over names and sizes, and over the content of what is small; gigabytes are not read."""
    seen = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        small = path.stat().st_size < 1_000_000
        content = hashlib.sha256(path.read_bytes()).hexdigest() if small else None
        seen.append([path.relative_to(folder).as_posix(), path.stat().st_size, content])
    return "sha256:" + hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def refuse_pickles(files: Iterable[str], where: str) -> None:
    """Raise EngineError for weights without .safetensors files: loading a pickle can run any code."""
    names = list(files)
    if any(name.endswith(".safetensors") for name in names):
        return
    if any(name.endswith(_PICKLES) for name in names):
        raise no_safetensors(where)
    raise EngineError(
        f"{where} has no weights (.safetensors).", "Check that it is a whole model.", missing=True
    )


def no_safetensors(where: str) -> EngineError:
    """A model whose weights are pickles, of which none is loaded."""
    return EngineError(
        f"{where} lacks .safetensors weights, and pickled ones (.bin, .pt, .ckpt) are not loaded.",
        "Name a revision that contains .safetensors files, convert the model, or use --weights random.",
        missing=True,
    )


def _problems(folder: Path, kind: WeightFilesKind, own_code: bool) -> Iterator[str]:
    main = folder / ("model_index.json" if kind == "pipeline" else "config.json")
    if kind != "adapter" and not main.is_file():
        yield f"{main.name} is missing."
    for path in sorted(folder.rglob("*.safetensors")):
        if (wrong := _wrong_with(path)) is not None:
            yield f"{path.relative_to(folder)} {wrong}."
    for index in sorted(folder.rglob("*.safetensors.index.json")):
        yield from _missing_shards(folder, index)
    if kind == "model":
        if not own_code and not any((folder / name).is_file() for name in _TOKENIZERS):
            yield f"it has no tokenizer ({', '.join(_TOKENIZERS[:3])}, ...)."
    elif kind == "pipeline" and main.is_file():
        yield from _missing_parts(folder, main)


def _wrong_with(path: Path) -> str | None:
    """Fault of one .safetensors file, or `None`."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(len(POINTER))
            if start == POINTER:
                return "is a Git LFS pointer, not the weights"
            if size < 8:
                return f"is cut off: it has {size} bytes"
            (length,) = struct.unpack("<Q", start[:8])
            file.seek(8)
            header = json_of(file.read(length)) if length <= min(size - 8, LARGEST_HEADER_BYTES) else None
        expected = (
            8
            + length
            + max(
                (
                    tensor["data_offsets"][1]
                    for name, tensor in (header or {}).items()
                    if name != "__metadata__"
                ),
                default=0,
            )
        )
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return "has no readable header"
    if header is None:
        return (
            f"is cut off, or not a .safetensors file: {size} bytes, and its header alone needs {length + 8}"
        )
    return f"is cut off: {size} bytes of {expected}" if size < expected else None


def _missing_shards(folder: Path, index: Path) -> Iterator[str]:
    try:
        shards = sorted(set(json_of(text_in(index))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        yield f"{index.relative_to(folder)} cannot be read."
        return
    missing = [shard for shard in shards if not (index.parent / shard).is_file()]
    if missing:
        count = f"{len(missing)} of {len(shards)} shards are missing"
        yield f"{count} ({index.relative_to(folder)} names {missing[0]})."


def _missing_parts(folder: Path, main: Path) -> Iterator[str]:
    """Components of a pipeline that `model_index.json` names and the folder lacks."""
    try:
        parts = json_of(text_in(main))
        named = [name for name, value in parts.items() if isinstance(value, list) and value[0] is not None]
    except (OSError, ValueError, AttributeError, IndexError):
        yield f"{main.name} cannot be read."
        return
    # What screens pictures is never loaded, so it may be missing.
    for name in named:
        if (
            name not in ("safety_checker", "feature_extractor", "image_encoder")
            and not (folder / name).is_dir()
        ):
            yield f"the component {name} is missing."
