"""Checkouts of this project whose code is measured: folders, and git revisions in a folder of their own.

with opened(("main", ".")) as (a, b):     # what was checked out for it is gone at the end
    a.title                               # "main (4547c7f)"
    WorkerProcess(environment, a.code)            # a worker that runs it
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.core.provenance import CodeVersion, Provenance
from bench.errors import EngineError, PrerequisiteError, UsageError
from bench.machine.provenance import git
from bench.worker.messages import Hello, HelloAnswer
from bench.worker.process import WorkerCode, WorkerProcess, own_code

CHECKOUT_TIMEOUT_S = 300.0
"""Longest that git may take to check a revision out."""
NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}")


@dataclass(frozen=True)
class Checkout:
    """Code under test: what the user calls it, how a worker runs it, and where it comes from."""

    named: str
    title: str
    """The name with its commit: `main (4547c7f)`."""
    code: WorkerCode
    git: CodeVersion
    libraries: dict[str, str]

    def stated_in(self, provenance: Provenance) -> Provenance:
        """The provenance with this code's version and libraries in place of this program's own."""
        stated, stated_git = provenance.model_copy(), self.git.model_copy()
        stated_git.checkout = self.named
        stated.git, stated.libraries = stated_git, self.libraries
        return stated


def is_checkout(text: str) -> bool:
    """Whether there is a folder, or a revision of the repository around the working folder, of this name."""
    return os.path.isdir(text) or commit_of(text) is not None


def commit_of(revision: str) -> str | None:
    """The commit that git resolves this name to; `None` if it does not."""
    command = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=10
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def unknown_name(name: str, kinds: str) -> str:
    """Sentence about a name that is neither one of `kinds` nor a git revision."""
    if shutil.which("git") is None:
        return f'"{name}" is not {kinds}, and git is not installed to look it up as a revision.'
    return f'"{name}" is not {kinds} or a git revision.'


@contextmanager
def opened(names: tuple[str, str]) -> Iterator[tuple[Checkout, Checkout]]:
    """Both checkouts, ready to be run. Raises UsageError or PrerequisiteError."""
    with ExitStack() as stack:
        a, b = ((name, stack.enter_context(_folder(name))) for name in names)
        yield _introduced(*a), _introduced(*b)


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    folder, commit = Path(name), commit_of(name)
    if os.path.isdir(folder):
        if commit is not None and not name.startswith(("/", "./", "../")):
            raise UsageError(
                f'"{name}" is both a folder and a git revision.',
                f"Write ./{name} for the folder, or {commit[:12]} for the revision.",
            )
        _require_code(name, folder)
        yield folder.resolve()
    elif commit is not None:
        with _checked_out(name, commit) as checked_out:
            _require_code(name, checked_out)
            yield checked_out
    else:
        raise UsageError(unknown_name(name, "a folder"), "See `git branch`.")


def _require_code(name: str, folder: Path) -> None:
    if not os.path.isfile(folder / "bench" / "__init__.py"):
        raise UsageError(f'"{name}" is not a checkout of joulebench: it lacks bench/.')


@contextmanager
def _checked_out(name: str, commit: str) -> Iterator[Path]:
    """A revision in a temporary folder, as a worktree of the repository; neither is left behind."""
    with tempfile.TemporaryDirectory(prefix="joulebench-checkout-") as around:
        folder = Path(around, "checkout")
        try:
            message = _git_worktree("add", "--quiet", "--detach", str(folder), commit)
            if message is not None:
                raise PrerequisiteError(f'"{name}" cannot be checked out: {message}.')
            yield folder
        finally:
            _git_worktree("remove", "--force", "--force", str(folder))


def _git_worktree(*arguments: str) -> str | None:
    """git's last message when it failed."""
    command = ["git", *NO_HOOKS, "worktree", *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=CHECKOUT_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return f"git was not done after {CHECKOUT_TIMEOUT_S:.0f} s"
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"git ended with status {done.returncode}"])[-1].rstrip(".")


def _introduced(name: str, folder: Path) -> Checkout:
    """The checkout, once a worker of it has answered: nothing is loaded yet, and a fault costs no time."""
    origin = git(folder)
    title = _title(name, origin)
    code = _code(folder, title)
    try:
        with WorkerProcess({}, code) as child:
            try:
                answer = child.ask(Hello(), HelloAnswer)
            except EngineError as error:
                words = child.last_words().strip().splitlines()
                last_words = f" Its last words: {words[-1].rstrip('.')}." if words else ""
                raise PrerequisiteError(f"{error.message}{last_words}", _way_out(error)) from error
    except EngineError as error:
        raise PrerequisiteError(f"{name}: {error.message}", error.remedy) from error
    if not os.path.samefile(answer.folder, folder / "bench"):
        raise PrerequisiteError(f"{name}: its interpreter, {code.python}, takes bench from {answer.folder}.")
    return Checkout(name, title, code, origin, answer.libraries)


def _title(name: str, origin: CodeVersion) -> str:
    """`main (4547c7f)`, with a note if files differ from the commit, or if it is unknown."""
    if origin.commit is None:
        return f"{name} (no commit)"
    return f"{name} ({origin.commit[:7]}{', changed' if origin.dirty else ''})"


def _way_out(error: EngineError) -> str | None:
    """A dead worker's last lines are more useful than the path of its record."""
    return None if error.stage == "killed" else error.remedy


def _code(folder: Path, title: str) -> WorkerCode:
    """The checkout's own environment where it has one, else this program's with the checkout first."""
    own = folder / ".venv" / "bin" / "python"
    if os.path.lexists(own):
        return WorkerCode(str(own), (str(folder),), title)
    return WorkerCode(sys.executable, (str(folder), *own_code().folders), title)
