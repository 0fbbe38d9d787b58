"""Provenance of a record: the machine, the software, the command, the clock.

Identity (what makes two machines the same) is kept apart from observations (what changes by the minute),
so that a comparison never trips over a clock reading.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

import psutil

import bench
from bench.core.machine import CpuFacts, Machine
from bench.core.provenance import ClockReading, CodeVersion, Provenance
from bench.dependencies import package_version
from bench.machine import source_stamp
from bench.machine.clock_sync import clock_sync
from bench.machine.worker_environment import DEFAULTS
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers

ROOT = Path(bench.__file__).parents[1]

LIBRARIES = (
    "torch",
    "transformers",
    "diffusers",
    "accelerate",
    "tokenizers",
    "safetensors",
    "huggingface-hub",
    "codecarbon",
    "nvidia-ml-py",
    "numpy",
    "pydantic",
    "torchao",
    "bitsandbytes",
)

ENVIRONMENT = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "MKL_NUM_THREADS",
    "PYTORCH_CUDA_ALLOC_CONF",
    "HF_HUB_OFFLINE",
    "TORCH_CUDNN_SDPA_DEPRIORITIZED",
)


def now_utc() -> str:
    """The time as written in records: `2026-01-31T12:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def run_id() -> str:
    """A name for one run that a person can type and sort: `20260131t120000-3fa9c1`."""
    return f"{datetime.now(UTC):%Y%m%dt%H%M%S}-{uuid4().hex[:6]}"


def machine(drivers: GpuDrivers) -> Machine:
    """Identity of this machine: `name` is readable, `id` stays the same from run to run."""
    gpus = [gpu.identity() for gpu in drivers.gpus]
    cpu = CpuFacts(
        model=_cpu_model(),
        logical_cores=psutil.cpu_count(logical=True),
        physical_cores=psutil.cpu_count(logical=False),
    )
    memory_bytes = int(psutil.virtual_memory().total)
    uuids = [gpu.uuid for gpu in drivers.gpus]
    distinguishing: list[object] = [*uuids] or [_machine_id(), cpu.as_mapping(), round(memory_bytes / 2**30)]
    identity = hashlib.sha256(repr(distinguishing).encode()).hexdigest()[:8]
    about = title([gpu.name for gpu in drivers.gpus]) if gpus else f"cpu {cpu.model}"
    found = Machine(
        name=f"{about} {identity}",
        id=identity,
        cpu=cpu,
        memory_bytes=memory_bytes,
        gpus=gpus,
        os=platform.platform(),
        container=in_container(),
    )
    if drivers.lost:
        found.lost_gpus = drivers.lost
    absent: dict[str, str] = {}
    if drivers.gpus:
        versions = [driver.versions() for driver in drivers.opened if driver.gpus]
        found.driver = ", ".join(each.driver for each in versions if each.driver) or None
        found.cuda_driver = next((each.cuda_driver for each in versions if each.cuda_driver), None)
        for each in versions:
            absent |= each.absent
    else:
        absent["gpus"] = drivers.absent or "no GPU was found"
    if absent:
        found.absent = absent
    return found


def title(names: Sequence[str]) -> str:
    """Cards by name with their count: `2x NVIDIA H200 NVIDIA L4`."""
    counts = {name: list(names).count(name) for name in names}
    return " ".join(f"{count}x {name}" if count > 1 else name for name, count in counts.items())


def _cpu_model() -> str:
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    return platform.machine()


def _machine_id() -> str:
    """A stable id of this installation; empty where the system has none."""
    path = Path("/etc/machine-id")
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""


def in_container() -> bool:
    """Whether this is a container of Docker or Podman, by their marker files."""
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()


@cache
def libraries() -> dict[str, str]:
    """Versions of what matters, as installed here."""
    found = {"python": platform.python_version(), "joulebench": bench.__version__}
    versions = {name: package_version(name) for name in LIBRARIES}
    return found | {name: version for name, version in versions.items() if version is not None}


@cache
def git(folder: Path = ROOT) -> CodeVersion:
    """The commit of the checkout at `folder`, and whether its `bench` differs; `null` outside a checkout.

    Where the files travelled without `.git`, the stamp that travelled with them has both, as long as it is
    of these very files.
    """
    try:
        _git(folder, "ls-files", "--error-unmatch", "--", "bench/__init__.py")
        commit = _git(folder, "rev-parse", "HEAD")
        changed = bool(_git(folder, "status", "--porcelain", "--untracked-files=no", "--", "bench"))
    except (OSError, subprocess.SubprocessError) as error:
        return source_stamp.read(folder, _why_no_commit(error, folder))
    return CodeVersion(commit=commit, dirty=changed)


def _why_no_commit(error: Exception, folder: Path) -> str:
    """Reason for a missing commit: git is not installed, it refuses the checkout, or no commit exists."""
    if not any((above / ".git").exists() for above in (folder, *folder.parents)):
        return source_stamp.OUTSIDE
    if isinstance(error, FileNotFoundError):
        return "git is not installed, so the checkout's commit is not known"
    said = str(getattr(error, "stderr", None) or error).strip()
    if "dubious ownership" in said:
        remedy = f"git config --global --add safe.directory {folder}"
        return f"git refuses the checkout, because another user owns it (dubious ownership): {remedy}"
    if "did not match any file" in said:
        return source_stamp.OUTSIDE
    lines = said.splitlines()
    return f"git gives no commit: {lines[-1].removeprefix('fatal: ')[:200] if lines else 'no reason given'}"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
        timeout=10,
        env={**os.environ, "LC_ALL": "C"},  # reasons are recognised by git's English words
    )
    return done.stdout.strip()


def _environment(variables: Mapping[str, str], gpus: tuple[Gpu, ...]) -> dict[str, str]:
    names = dict.fromkeys((*ENVIRONMENT, *(name for gpu in gpus for name in gpu.facts.variables)))
    return {key: variables[key] for key in names if key in variables}


def collect(arguments: list[str], gpus: tuple[Gpu, ...]) -> Provenance:
    """Provenance of one case, observed as it starts. `environment` is that of its worker."""
    found = surroundings(gpus)
    found.command = shlex.join(["python", "-m", "bench", *arguments])
    found.environment = worker_settings(gpus)
    return found


def worker_settings(gpus: tuple[Gpu, ...]) -> dict[str, str]:
    """The variables that decide how a worker computes, as it sees them."""
    return _environment({**DEFAULTS, **os.environ}, gpus)


@cache
def sources() -> str:
    """Digest over the files of this program's own package; unlike the commit, it follows changes to them."""
    return source_stamp.digest(ROOT)[:16]


def surroundings(gpus: tuple[Gpu, ...]) -> Provenance:
    """Software, settings, clock and load now, and the state of the cards."""
    return Provenance(
        libraries=libraries(),
        git=git().model_copy(update={"sources": sources()}),
        environment=_environment(os.environ, gpus),
        clock=ClockReading(utc=now_utc(), monotonic_ns=time.monotonic_ns(), sync=clock_sync()),
        load_average_1m=os.getloadavg()[0],
        gpus_at_start={gpu.uuid: gpu.snapshot() for gpu in gpus},
    )
