"""The log of a started server: a file of this user alone while it runs, then one without the key.

log = ServerLog(Path("results/h100/logs/server.log"), key)
subprocess.Popen(command, stdout=log.said.open("wb"))
log.see                 # "Its log is results/h100/logs/server.log."
log.end()
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from bench.core.temporary import SERVER_SAID, owned_file
from bench.store.own_names import without_own_names
from bench.store.results import write_atomically
from bench.worker.serving.secrets import ApiKey

LAST_WORDS = 2000
UNWRITTEN_LOG = "joulebench-log-"
"""Beginning of a file in the temporary folder that has what the log should have had."""


class ServerLog:
    """The log at `path`, or in the temporary folder where it cannot be written.

    The server writes into a temporary file, which the next run removes where this one is killed: its words
    may have the key. The log is that without it, from its end on, or from when a sentence names it.
    """

    def __init__(self, path: Path, key: ApiKey) -> None:
        self.path = path
        self._key = key
        path.parent.mkdir(parents=True, exist_ok=True)
        self._said = owned_file(SERVER_SAID, ".log")
        self._spare: Path | None = None

    @property
    def said(self) -> Path:
        """The file for the server's output."""
        return self._said.path

    @property
    def see(self) -> str:
        """The sentence that names the log, which has the server's words up to now."""
        clean = self._clean()
        if clean is None or not (self._in_log(clean) or self._in_spare(clean)):
            return f"Its log {self.path} could not be written."
        return f"Its log is {self._spare or self.path}."

    def last_words(self) -> str:
        """The end of it, without the key."""
        with contextlib.suppress(OSError):
            return self._key.scrubbed(self._text())[-LAST_WORDS:]
        return ""

    def end(self) -> None:
        """The log in place of what was said, or another file where the log cannot be written."""
        clean = self._clean()
        if clean is not None and not self._in_log(clean):
            self._said.remove()  # the temporary folder may be full
            self._in_spare(clean)
        self._said.remove()

    def drop(self) -> None:
        """No server was started: nothing was said."""
        self._said.remove()

    def _text(self) -> str:
        """What it has said, also after its end. Raises OSError."""
        path = self.said if self.said.exists() else self._spare or self.path
        return path.read_text(encoding="utf-8", errors="replace")

    def _clean(self) -> str | None:
        """What it has said, without the key; `None` where that cannot be read."""
        try:
            return without_own_names(self._key.scrubbed(self._text()))
        except OSError:
            return None

    def _in_log(self, clean: str) -> bool:
        """Whether the log could be written; it is tried no more once another file is named."""
        if self._spare is not None:
            return False
        try:
            write_atomically(self.path, clean)
        except OSError:
            return False
        return True

    def _in_spare(self, clean: str) -> bool:
        """Whether a file in the temporary folder, which no later run removes, could be written."""
        try:
            if self._spare is None:
                handle, name = tempfile.mkstemp(prefix=UNWRITTEN_LOG, suffix=".log")
                os.close(handle)
                self._spare = Path(name)
            self._spare.write_text(clean, encoding="utf-8")
        except OSError:
            return False
        return True
