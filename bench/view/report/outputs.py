"""Pages and images that a run kept beside its record, taken into the report.

A record is somebody's file: what it names is read only where it lies in the record's own folder, and only
what a page can hold is shown.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from bench.analysis.sources import Found
from bench.view.content import KeptOutput, clean

MOST = 2
"""Outputs of a case; the rest lie where the first ones do."""
LARGEST_TEXT = 10_000
"""Characters."""
LARGEST_IMAGE = 400_000
"""Bytes."""
SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def kept(found: Found) -> Iterator[KeptOutput]:
    """The first outputs of a record, or why one cannot be shown."""
    folder = Path(found.where).parent.resolve()
    for name in found.record.outputs[:MOST]:
        label = clean(name, 120)
        try:
            path = (folder / name).resolve()
            if not path.is_relative_to(folder):
                yield KeptOutput(label, reason="it does not lie beside its record")
            else:
                yield _read(label, path)
        except (OSError, ValueError, RuntimeError) as error:  # a link that leads to itself
            yield KeptOutput(label, reason=f"it cannot be read: {clean(str(error))}")


def _read(label: str, path: Path) -> KeptOutput:
    """Raises OSError."""
    if path.stat().st_size > LARGEST_IMAGE:
        return KeptOutput(label, reason=f"it is larger than {LARGEST_IMAGE:,} bytes")
    content = path.read_bytes()
    kind = next((kind for start, kind in SIGNATURES.items() if content.startswith(start)), None)
    if kind is not None:
        return KeptOutput(label, image=f"data:{kind};base64,{base64.b64encode(content).decode()}")
    text = content.decode("utf-8", errors="replace")
    if path.suffix != ".txt":
        return KeptOutput(label, reason="it is neither a text nor a PNG or JPEG image")
    lines = (clean(line, LARGEST_TEXT) for line in text[:LARGEST_TEXT].splitlines())
    return KeptOutput(label, text="\n".join(lines))
