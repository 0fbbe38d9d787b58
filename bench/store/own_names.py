"""Names of this user, home and host, kept out of what is stored.

    without_own_names("/home/ada/models on ada-box")    # "~/models on host-3fa9c1d2"

A path of the home begins with `~`. User (of the process, and the names that the environment has for the
person: USER, LOGNAME, SUDO_USER) and host become a pseudonym, a digest over name and machine id, which stays
the same on this machine. Names that many machines have (`root`, `ubuntu`) are kept. With the variable
JOULEBENCH_KEEP_NAMES all are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import socket
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bench.core.written_text import pattern

KEEP_VARIABLE = "JOULEBENCH_KEEP_NAMES"
USER_VARIABLES = ("USER", "LOGNAME", "SUDO_USER")
SHARED = frozenset(
    (
        "admin",
        "debian",
        "docker",
        "ec2-user",
        "fedora",
        "jovyan",
        "localhost",
        "root",
        "runner",
        "ubuntu",
        "user",
    )
)
"""Names that many machines have."""
SHORTEST = 3
"""Fewest letters of a name: a shorter one is in many words and paths."""
MACHINE_ID = Path("/etc/machine-id")
END = r"(?![A-Za-z0-9_])"


def without_own_names(text: str) -> str:
    """The text with `~` and pseudonyms in place of home, user and host, unless the names are to be kept."""
    return remover()(text)


def without_home(text: str) -> str:
    """The text with `~` in place of the home alone: of paths beside texts of records, which have no names."""
    if os.environ.get(KEEP_VARIABLE):
        return text
    return _scrubber(_homes(), (), "", str(MACHINE_ID))(text)


def remover() -> Callable[[str], str]:
    """The same as a function of many texts: looking up the names takes ten times as long as a text."""
    if os.environ.get(KEEP_VARIABLE):
        return lambda text: text
    return _scrubber(_homes(), _users(), socket.gethostname(), str(MACHINE_ID))


def _homes() -> tuple[str, ...]:
    """Folders of this user, the longest first, without a home that is the root folder."""
    found = [os.environ.get("HOME", "")]
    with contextlib.suppress(KeyError):  # containers run as users without an entry
        found.append(pwd.getpwuid(os.getuid()).pw_dir)
    found += [os.path.realpath(home) for home in found if home]
    return tuple(sorted({home.rstrip("/") for home in found if len(home) > 1}, key=len, reverse=True))


def _users() -> tuple[str, ...]:
    """Names of this user, the longest first: a process of root may be that of a person with another name."""
    found = [os.environ.get(name, "") for name in USER_VARIABLES]
    with contextlib.suppress(KeyError):
        found.append(pwd.getpwuid(os.getuid()).pw_name)
    return tuple(sorted(set(found), key=lambda name: (-len(name), name)))


@cache
def _scrubber(
    homes: tuple[str, ...], users: tuple[str, ...], host: str, machine_id: str
) -> Callable[[str], str]:
    """Replace by one expression: a record has thousands of texts, and is written after each block."""
    file = Path(machine_id)
    salt = file.read_text(encoding="utf-8", errors="replace").strip() if file.is_file() else ""
    short = host.partition(".")[0]
    found = [f"(?P<home>{'|'.join(map(pattern, homes))}){END}"] if homes else []
    for kind, names, rest in (("user", users, ""), ("host", (short,), r"(?:\.[A-Za-z0-9-]+)*")):
        own = [pattern(name) for name in names if len(name) >= SHORTEST and name.lower() not in SHARED]
        if own:
            found.append(f"(?i:(?<![A-Za-z0-9])(?P<{kind}>{'|'.join(own)}){END}{rest})")
    if not found:
        return lambda text: text
    expression = re.compile("|".join(found))

    def replace(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        return "~" if kind == "home" else _pseudonym(kind, match[kind].lower().replace("\\", ""), salt)

    return lambda text: expression.sub(replace, text)


def _pseudonym(kind: str, name: str, salt: str) -> str:
    return f"{kind}-{hashlib.sha256(f'{salt}/{kind}/{name}'.encode()).hexdigest()[:8]}"
