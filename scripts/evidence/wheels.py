"""`python -m scripts.evidence.wheels DIR`: the packages that a GPU image without a network lacks, as wheels.

    python -m scripts.evidence.wheels --check    # 2 and one sentence where a requirement is not met here
    python -m scripts.evidence.wheels --names    # what is carried

Such an image has PyTorch, transformers and their requirements; it lacks diffusers, CodeCarbon and others.
The wheels are those of constraints.txt, for the Python and the processor of the image, without requirements:
what is missing after all is named by `--check`, which imports nothing that is carried.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "3.12"
GLIBC = ("2_39", "2_34", "2_31", "2_28", "2_27", "2_24", "2_17", "2_12", "2_5")
MOST_BYTES = 60_000_000

CARRIED = (
    *(
        "annotated-types",
        "pydantic",
        "pydantic_core",
        "typing-inspection",
        "typing_extensions",
        "nvidia-ml-py",
    ),
    *("diffusers", "importlib_metadata", "zipp", "lazy-importer"),
    *("codecarbon", "arrow", "tzdata", "Authlib", "joserfc", "cryptography", "cffi", "pycparser"),
    *("pycountry", "questionary", "prompt_toolkit", "wcwidth", "RapidFuzz"),
    "duckdb",
    *("zeus", "tyro", "typeguard", "docstring_parser"),
)
"""What images with torch lack; torch, numpy, scipy, pandas, transformers, accelerate are theirs.

Without amdsmi, which zeus names: where AMD's driver is missing its import prints on standard output.
"""


def pinned() -> Iterator[str]:
    """`name==version` of everything that is carried, as tested together."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    versions = {
        canonicalize_name(name): version
        for name, equals, version in (line.partition("==") for line in lines)
        if equals
    }
    for name in CARRIED:
        yield f"{name}=={versions[canonicalize_name(name)]}"


def download(folder: Path, python: str = PYTHON) -> int:
    """Fetch every wheel into `folder`; the exit status."""
    machines = [f"manylinux_{glibc}_x86_64" for glibc in GLIBC] + ["manylinux2014_x86_64", "any"]
    where = [word for machine in machines for word in ("--platform", machine)]
    kind = ["--no-deps", "--only-binary=:all:", "--python-version", python, "--implementation", "cp"]
    asked = [sys.executable, "-m", "pip", "download", "-q", *kind, *where, "-d", str(folder), *pinned()]
    if subprocess.run(asked, check=False).returncode:
        print("Error: pip could not fetch every wheel. Its lines above name the package.", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in folder.glob("*.whl"))
    print(f"{len(list(folder.glob('*.whl')))} wheels, {size / 1e6:.1f} MB, in {folder}")
    if size > MOST_BYTES:
        print(f"Error: that is more than {MOST_BYTES / 1e6:.0f} MB: carry less.", file=sys.stderr)
        return 2
    return 0


def unmet() -> list[str]:
    """Requirements of this project, and of what they require in turn, that this Python does not meet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["run"]]
    open_, visited, missing = [Requirement(text) for text in wanted], set[str](), list[str]()
    while open_:
        asked = open_.pop()
        name = canonicalize_name(asked.name)
        version = _installed(name)
        if version is None:
            missing.append(f"{asked} (not installed)")
            continue
        if not asked.specifier.contains(version, prereleases=True):
            missing.append(f"{asked} (installed: {version})")
        if name not in visited:
            visited.add(name)
            open_ += _needs(name)
    return sorted(set(missing))


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _needs(name: str) -> Iterator[Requirement]:
    """What an installed package needs here, without its extras; CUDA's own packages are torch's affair."""
    for text in importlib.metadata.requires(name) or ():
        needed = Requirement(text)
        wanted = needed.marker is None or needed.marker.evaluate({"extra": ""})
        if wanted and not re.match(r"nvidia-|cuda-|triton", canonicalize_name(needed.name)):
            yield needed


def check() -> int:
    """Print what is missing or too old here; the exit status."""
    missing = unmet()
    if missing:
        print(
            f"Error: Packages are missing or too old here: {'; '.join(missing)}. "
            "Fetch them where there is a network (scripts/gpu-evidence wheels DIR), then: run --wheels DIR.",
            file=sys.stderr,
        )
    return 2 if missing else 0


def main(arguments: Sequence[str]) -> int:
    """Fetch, check, or print names; needs nothing that is carried."""
    if arguments == ["--check"]:
        return check()
    if arguments == ["--names"]:
        print(*CARRIED)
        return 0
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("Usage: scripts/gpu-evidence wheels DIR", file=sys.stderr)
        return 2
    return download(Path(arguments[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
