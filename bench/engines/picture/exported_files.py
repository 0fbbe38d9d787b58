"""Opens a network that was saved as a program: `torch.export.save` (.pt2) or TorchScript (`torch.jit.save`).

found = load(Path("generator.pt2"), "cuda:0", "bfloat16")     # EngineError where the file is neither
found.module(noise)

Both are ZIP archives. A file of `torch.save` is one, too, and contains a pickle that runs any code when it is
opened; so the names in the archive decide what is opened at all. An exported program may carry pickled
constants and sample inputs: with the first it is refused, the second must load as tensors alone.
"""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn
from torch.export.passes import move_to_device_pass

from bench.core.untrusted import json_of
from bench.engines.device import placed
from bench.errors import EngineError

_WAY_OUT = "Save the network with torch.export.save or torch.jit.save, and give that file."


@dataclass(frozen=True)
class Exported:
    """A network from a file. `inputs` is the number of its arguments, `width` that of the first one's rows.

    Both are `None` where the file does not state them, as TorchScript does not.
    """

    module: nn.Module
    fingerprint: str
    inputs: int | None = None
    width: int | None = None


def load(file: Path, place: str, dtype: str) -> Exported:
    """The network in a file, on its device. Raises EngineError for any other file, and another dtype."""
    found = _opened(file, place)
    held = placed.dtype_name(found.module)
    if held not in (dtype, "none"):
        raise EngineError(f"{file.name} contains {held}, not {dtype}.", f"Use --dtype {held}.")
    return found


def _opened(file: Path, place: str) -> Exported:
    fingerprint = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
            if "models/model.json" in names:
                _refuse_pickles(archive, file)
                kind = "export"
            elif any(name.startswith("code/") for name in names):
                kind = "script"
            else:
                raise _not_a_program(file, "data.pkl" in names)
    except zipfile.BadZipFile as error:
        raise _not_a_program(file, pickled=False) from error
    try:
        if kind == "export":
            return _program(file, place, fingerprint)
        script: Any = torch.jit.load(str(file), map_location=place)  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, KeyError, AssertionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise EngineError(
            f"{file.name} cannot be opened by torch {torch.__version__}: {reason}", _WAY_OUT
        ) from error
    return Exported(script.eval(), fingerprint)


def _not_a_program(file: Path, pickled: bool) -> EngineError:
    what = "contains pickled weights (torch.save), which can run any code" if pickled else "is neither"
    return EngineError(
        f"{file.name} {what}: a network is loaded from torch.export or TorchScript files only.",
        _WAY_OUT,
        missing=True,
    )


def _refuse_pickles(archive: zipfile.ZipFile, file: Path) -> None:
    """Raise EngineError for an archive of which a part would be unpickled with code."""
    for name in archive.namelist():
        inner = name.partition("/")[2]
        pickled = False
        if inner.endswith("_config.json"):
            entries = json_of(archive.read(name)).get("config", {}).values()
            pickled = any(
                entry.get("use_pickle") or "obj" in str(entry.get("path_name")) for entry in entries
            )
        elif inner.startswith("data/sample_inputs/"):
            pickled = not _only_tensors(archive.read(name))
        elif inner.startswith("data/") and inner.endswith(".pt"):
            pickled = True
        if pickled:
            raise EngineError(
                f"{file.name} contains a pickle ({inner}), which can run any code.", _WAY_OUT, missing=True
            )


def _only_tensors(content: bytes) -> bool:
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError):
        return not content
    return True


def _program(file: Path, place: str, fingerprint: str) -> Exported:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")  # torch 2.9, of its own reading
        program = torch.export.load(str(file))
    if place != "cpu":
        program = move_to_device_pass(program, place)
    names = program.graph_signature.user_inputs
    shapes = [node.meta["val"].shape for node in program.graph.nodes if node.name in names]
    width = shapes[0][1] if shapes and len(shapes[0]) == 2 else None
    module: Any = program.module()
    return Exported(module, fingerprint, len(names), width if isinstance(width, int) else None)
