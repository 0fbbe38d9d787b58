"""Records as git has them: the files at a path of a revision, without a checkout.

committed("main", "results/rtx-4090")     # names and texts, read by one `git archive`
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from bench.compare.record_files import FoundText, is_other_document
from bench.errors import RecordError, UsageError


def committed(revision: str, inside: str) -> list[FoundText]:
    """The JSON files at a path as they were committed, read by one `git archive`."""
    where = f"{revision}:{inside}"
    # As in `git show`: a path counts from the top of the checkout, or from here where it begins with a dot.
    top, _, here = _git(where, "rev-parse", "--show-toplevel", "--show-prefix").decode().partition("\n")
    if inside.split("/")[0] in (".", ".."):
        inside = os.path.normpath(os.path.join(here.rstrip("\n"), inside))
    output = _git(where, "archive", "--format=tar", revision, "--", inside, folder=top)
    texts: list[FoundText] = []
    with tarfile.open(fileobj=io.BytesIO(output)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None or not _is_record_name(member.name, inside):
                continue
            name = f"{revision}:{member.name}"
            try:
                text = content.read().decode("utf-8")
                if member.name == os.path.normpath(inside) or not is_other_document(text):
                    texts.append((name, text))
            except ValueError as error:
                texts.append((name, RecordError(f"{name}: not a JSON file: {error}.")))
    return texts


def _git(where: str, *arguments: str, folder: str | None = None) -> bytes:
    """Output of git. Raises UsageError with its reason if it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False, timeout=120)
    except FileNotFoundError as error:
        raise UsageError(f"{where}: no such file or folder, and git is not installed.") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"{where}: git cannot be run: {error}.") from error
    if done.returncode == 0:
        return done.stdout
    message = done.stderr.decode(errors="replace").strip()
    if "dubious ownership" in message:
        raise UsageError(
            f"{where}: git refuses this checkout, because another user owns it (dubious ownership).",
            f"git config --global --add safe.directory {Path.cwd()}",
        )
    lines = message.splitlines()
    reason = lines[-1].removeprefix("fatal: ") if lines else f"git ended with status {done.returncode}"
    raise UsageError(
        f"{where}: not a file, a folder or a git revision: {reason}.",
        "A revision is named as in `git show`: main:results/....",
    )


def _is_record_name(name: str, inside: str) -> bool:
    """Whether a committed file would have been looked at in a folder: what was named itself always is."""
    hidden = any(part.startswith(".") for part in Path(name).parts)
    return name == os.path.normpath(inside) or (name.endswith(".json") and not hidden)
