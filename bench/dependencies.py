"""Sentence and command for a package that this Python lacks; imports only the standard library.

install_command("quant")       # scripts/setup quant, or pip install 'joulebench[quant]'
install_command("torchsde")    # of the extra that has it
"""

from __future__ import annotations

import shlex
import sys
from functools import cache
from pathlib import Path

from bench.errors import PrerequisiteError

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
EXTRAS = {
    "run": ("PIL", "accelerate", "diffusers", "safetensors", "sentencepiece", "torch", "transformers"),
    "audio": ("torchsde",),
    "film": ("av",),
    "fleet": ("ray",),
    "parquet": ("pyarrow",),
    "quant": ("bitsandbytes", "torchao"),
    "report": ("PIL", "altair", "jinja2", "vl_convert"),
    "serve": ("httpx2",),
    "sign": ("cryptography",),
}
"""Import names of the packages that each extra installs."""


@cache
def package_version(name: str) -> str | None:
    """Version of an installed package, `None` where it is not. Looked up once, for that takes 7 ms."""
    import importlib.metadata as metadata  # not above: the start of every verb would pay 10 ms for it

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def old_python() -> PrerequisiteError | None:
    """The error of a Python that is too old, before any module that it could not read is imported."""
    if sys.version_info >= OLDEST:
        return None
    named, oldest = ".".join(map(str, sys.version_info[:2])), ".".join(map(str, OLDEST))
    return PrerequisiteError(
        f"joulebench needs Python {oldest}, and {sys.executable} is {named}.", remedy([])
    )


def missing(error: ModuleNotFoundError, arguments: list[str]) -> PrerequisiteError | None:
    """The error of a package that is not installed; `None` where a module of ours or of Python is missing."""
    package = (error.name or "").partition(".")[0]
    if package in ("", "bench") or package in sys.stdlib_module_names:
        return None
    return PrerequisiteError(
        f"{sys.executable} does not have the package {package}.", remedy(arguments, package)
    )


def remedy(arguments: list[str], package: str = "") -> str:
    """The line that works: with the checkout's environment, after making it, or after an installation.

    A package of an extra is installed with that extra, where the rest of joulebench is there already.
    """
    python = ROOT / ".venv" / "bin" / "python"
    again = shlex.join([str(python), "-m", "bench", *arguments])
    if python.is_file() and sys.prefix != str(python.parents[1]):
        return f"Use the environment of this checkout: {again}"
    if any(package in names for names in EXTRAS.values()):
        return f"Install it with: {install_command(package)}"
    setup = ROOT / "scripts" / "setup"
    if setup.is_file():
        return f"Make the environment of this checkout: {shlex.quote(str(setup))} && {again}"
    pip = f"{shlex.quote(sys.executable)} -m pip install --force-reinstall"
    return f"No package index has joulebench. Install it again from where it came: {pip} GIT_ADDRESS_OR_WHEEL"


def install_command(name: str) -> str:
    """Command that installs an extra, or the package of this import name, as this installation was made.

    That is scripts/setup in the environment of a checkout, else pip of the Python that runs.
    """
    extra = name if name in EXTRAS else next((key for key, of in EXTRAS.items() if name in of), None)
    python, setup = shlex.quote(sys.executable), ROOT / "scripts" / "setup"
    if extra is None:
        return f"{python} -m pip install {name}"
    if not setup.is_file():
        return f"{python} -m pip install 'joulebench[{extra}]'"
    if sys.prefix == str(ROOT / ".venv"):
        command = "scripts/setup" if Path.cwd() == ROOT else shlex.quote(str(setup))
        return command if extra == "run" else f"{command} {extra}"
    constraints, project = (shlex.quote(str(each)) for each in (ROOT / "constraints.txt", f"{ROOT}[{extra}]"))
    return f"{python} -m pip install -c {constraints} -e {project}"
