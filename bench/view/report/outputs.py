"""Pages, images, sounds and films that a run kept beside its record, taken into the report.

A record may come from another user: what it names is read only from the record's own folder, and only
what fits into a page is shown.
"""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Iterator
from pathlib import Path

from bench.compare.record_set import StoredRecord
from bench.core.untrusted import inside
from bench.view.content import KeptOutput, clean

MOST = 2
"""Most outputs shown of a case; the others are in the same folder."""
LARGEST_TEXT = 10_000
"""Characters."""
LARGEST_IMAGE = 400_000
"""Bytes; of a sound as many are taken from its beginning, which are 6 s of MusicGen."""
LARGEST_FILM = 1_500_000
"""Bytes: some five seconds of 832x480 as PyAV writes them."""
SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def kept(found: StoredRecord) -> Iterator[KeptOutput]:
    """The first outputs of a record, or why one cannot be shown."""
    folder = Path(found.where).parent
    for name in found.record.outputs[:MOST]:
        label = clean(name, 120)
        try:
            path = inside(folder, name)
            if path is None:
                yield KeptOutput(label, reason="it is not beside its record")
            elif path.exists() and not path.is_file():
                yield KeptOutput(label, reason="it is not a file")
            else:
                yield _read(label, path)
        except (OSError, ValueError, RuntimeError) as error:  # a link that leads to itself
            yield KeptOutput(label, reason=f"it cannot be read: {clean(str(error))}")


def _read(label: str, path: Path) -> KeptOutput:
    """Raises OSError."""
    if path.suffix == ".wav":
        return _sound(label, path)
    largest = LARGEST_FILM if path.suffix == ".mp4" else LARGEST_IMAGE
    if path.stat().st_size > largest:
        return KeptOutput(label, reason=f"it is larger than {largest:,} bytes")
    content = path.read_bytes()
    kind = next((kind for start, kind in SIGNATURES.items() if content.startswith(start)), None)
    if kind is not None:
        return KeptOutput(label, image=f"data:{kind};base64,{base64.b64encode(content).decode()}")
    if content[4:8] == b"ftyp":
        return KeptOutput(label, video=f"data:video/mp4;base64,{base64.b64encode(content).decode()}")
    text = content.decode("utf-8", errors="replace")
    if path.suffix != ".txt":
        return KeptOutput(label, reason="it is not a text, a PNG or JPEG image, a WAV sound or an MP4 film")
    lines = (clean(line, LARGEST_TEXT) for line in text[:LARGEST_TEXT].splitlines())
    return KeptOutput(label, text="\n".join(lines))


def _sound(label: str, path: Path) -> KeptOutput:
    """As much of a WAV file as fits into a page. Raises OSError."""
    excerpt = io.BytesIO()
    try:
        with wave.open(str(path), "rb") as whole, wave.open(excerpt, "wb") as part:
            part.setparams(whole.getparams())
            frame_bytes = whole.getnchannels() * whole.getsampwidth()
            kept = min(whole.getnframes(), LARGEST_IMAGE // frame_bytes)
            part.writeframes(whole.readframes(kept))
            cut = f" (the first {kept / whole.getframerate():.0f} s)" if kept < whole.getnframes() else ""
    except (wave.Error, EOFError, ZeroDivisionError) as error:
        return KeptOutput(label, reason=f"it is not a WAV file: {clean(str(error) or 'it ends too early')}")
    content = base64.b64encode(excerpt.getvalue()).decode()
    return KeptOutput(f"{label}{cut}", audio=f"data:audio/wav;base64,{content}")
