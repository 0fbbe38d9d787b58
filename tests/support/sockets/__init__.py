"""Watch of every address that a command and its children connect to or look up, also from native code.

    watch = SocketWatch(folder)
    subprocess.run(command, env=os.environ | watch.environment())
    watch.asked()            # {"127.0.0.1:8000", "lookup huggingface.co"}

A library that is loaded before all others writes a line for each `connect` and `getaddrinfo`. Sockets of this
machine without an address (Unix sockets) are left out.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class SocketWatch:
    """The library, and the file that it writes to."""

    def __init__(self, folder: Path) -> None:
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        assert compiler is not None, "the stand-in needs one, too"
        self._library, self._log = folder / "sockets.so", folder / "sockets.log"
        source = Path(__file__).with_name("sockets.c")
        flags = ["-std=gnu11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([compiler, *flags, str(source), "-o", str(self._library), "-ldl"], check=True)

    def environment(self) -> dict[str, str]:
        """Variables of a command that is watched."""
        return {"LD_PRELOAD": str(self._library), "SOCKET_WATCH": str(self._log)}

    def asked(self) -> set[str]:
        """Addresses and names so far; each is `ADDRESS:PORT` or `lookup NAME`."""
        return set(self._log.read_text(encoding="utf-8").splitlines()) if self._log.exists() else set()
