"""The machine around the cards: RAPL, container, load, CPU clock, disks.

    watch = RaplWatch()             # the first reading
    list(watch.findings())          # the second: a zone that is readable may still never move

Host figures stand or fall with RAPL, which is for root alone on most machines and often dead in a virtual
one. They are two findings, since only the first has a remedy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bench.catalog.models import Catalogue
from bench.core.domain import of_device
from bench.doctor.findings import Finding
from bench.machine.locks import CPU, holder
from bench.meters.base import Reading, difference
from bench.meters.sources import Sources
from bench.meters.sources.rapl import PART_ONLY, POWERCAP, Rapl
from bench.store.machine_folder import NEEDED_BYTES

HOST, DISK = "host", "disk"
CPU_DEVICES = Path("/sys/devices/system/cpu")
CPU_INFO = Path("/proc/cpuinfo")
ALLOW_RAPL = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"

LOAD_PER_CORE = 0.25
"""Above this, other programs take CPU time from the work and joules into its host figure."""
RAPL_LOOK_S = 0.2
"""A RAPL zone moves every millisecond; a virtual machine's often shows a number that never moves."""
LOW_DISK_BYTES = 20e9
"""Below this not even one model of 7 billion numbers (14 GB in bf16) fits with room to unpack."""


class RaplWatch:
    """RAPL's zones read twice, far enough apart for a live one to have moved."""

    def __init__(self, root: Path = POWERCAP) -> None:
        self._root = root
        self._rapl = Rapl(root)
        self._before: Mapping[str, Reading] = self._rapl.read()
        self._began = time.monotonic()
        self.moving: tuple[str, ...] = ()
        """The domains that count, such as `cpu:package-0`; known after `findings`."""
        self.stuck: tuple[str, ...] = ()
        """The domains that answer and do not count: a host figure with one of them has no value."""

    def findings(self) -> Iterator[Finding]:
        """RAPL's readings here. Waits until the second reading differs."""
        time.sleep(max(0.0, self._began + RAPL_LOOK_S - time.monotonic()))
        after = self._rapl.read() if self._before else {}
        energies = {name: difference(self._before[name], after[name], "rapl") for name in self._before}
        self.moving = tuple(name for name, energy in energies.items() if energy.gross_j is not None)
        self.stuck = tuple(name for name in energies if name not in self.moving)
        for name, energy in energies.items():
            if energy.gross_j is None:
                yield Finding(HOST, f"RAPL {name}", "missing", f"Not usable: {energy.reason}.")
        yield from self._verdict()
        for name, reason in self._rapl.absent.items():
            if self.moving or reason.startswith(("RAPL answers", PART_ONLY)):
                state = "info" if reason.startswith("mirrors") else "warn"
                command = ALLOW_RAPL if _forbidden(reason) else None
                yield Finding(HOST, f"RAPL {name}", state, f"Left out: {reason}.", command)  # type: ignore[arg-type]

    def _verdict(self) -> Iterator[Finding]:
        cpu = of_device(self.moving, "cpu")
        dram = of_device(self.moving, "memory")
        if self.stuck and self.moving:
            text = (
                f"{', '.join(self.stuck)} shows a number that does not move, so host figures have no value."
            )
            yield Finding(HOST, "RAPL", "missing", text)
        elif cpu and dram:
            text = f"CPU and memory are metered ({', '.join(self.moving)})."
            yield Finding(HOST, "RAPL", "ok", text)
        elif self.moving:
            there, lacking = ("CPU", "memory") if cpu else ("memory", "CPU")
            text = f"{there} is metered ({', '.join(self.moving)}), {lacking} is estimated by CodeCarbon."
            yield Finding(HOST, "RAPL", "info" if cpu else "warn", text)
        elif self.stuck:
            text = "It shows domains, but they do not count, so host figures have no value."
            yield Finding(HOST, "RAPL", "missing", text)
        else:
            text, command = self._why_none()
            yield Finding(
                HOST, "RAPL", "missing", f"{text} CPU and memory are estimated by CodeCarbon.", command
            )

    def _why_none(self) -> tuple[str, str | None]:
        reasons, restart = self._rapl.absent.values(), "(a restart of the machine takes the permission back)"
        part = any(reason.startswith(PART_ONLY) for reason in reasons)
        if any(_forbidden(reason) for reason in reasons):
            return f"Only root may read {'all of ' if part else ''}it {restart}.", ALLOW_RAPL
        if part:
            return "A part of it cannot be read, and the rest is not the whole.", None
        names = _zone_names(self._root)
        if names and set(names) <= {"psys"}:
            return "It shows only psys, which covers the whole board and is not counted as the CPU.", None
        if names:
            return f"It shows neither packages nor dram (only {', '.join(names)}).", None
        if _virtual():
            return "This virtual machine does not show it.", None
        return "Linux shows no RAPL zone here.", "sudo modprobe intel_rapl_msr"


class SourceWatch:
    """Every energy source but RAPL, which has a look of its own: two readings, far enough apart."""

    def __init__(self, found: Sources) -> None:
        self._sources = found
        self._before = found.read()
        self._began = time.monotonic()
        self.moving: tuple[str, ...] = ()
        """The domains that count, such as `wall:rack`; known after `findings`."""

    def findings(self) -> Iterator[Finding]:
        """A line a domain."""
        facts = self._sources.domains
        slowest_s = max((each.tick_s for each in facts.values()), default=0.0)
        if facts:
            time.sleep(max(0.0, self._began + RAPL_LOOK_S + slowest_s - time.monotonic()))
        after = self._sources.read()
        for domain, source in facts.items():
            energy = difference(self._before[domain], after[domain], source.name)
            if energy.gross_j is None:
                yield Finding(HOST, source.name, "missing", f"{domain} is not usable: {energy.reason}.")
                continue
            self.moving += (domain,)
            off = "its error is not stated" if source.gain is None else f"±{source.gain.half_width:.1%}"
            yield Finding(HOST, source.name, "ok", f"{domain} is metered ({off}).")
        for domain, reason in self._sources.absent.items():
            yield Finding(HOST, domain, "warn", f"Left out: {reason}.")


def _forbidden(reason: str) -> bool:
    return reason.startswith("only root may read")


def _zone_names(root: Path) -> list[str]:
    names = set()
    for file in root.glob("intel-rapl:*/name"):
        try:
            names.add(file.read_text(encoding="utf-8", errors="replace").strip())
        except (OSError, ValueError):
            continue
    return sorted(names)


def _virtual() -> bool:
    """Whether the CPU reports a hypervisor."""
    try:
        flags = CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return " hypervisor" in flags


def container(inside: bool) -> Iterator[Finding]:
    """Effects of a container on a measurement."""
    if inside:
        text = (
            "This is a container: process ids on a card are the host's, so other programs are recognised "
            "by when they came; permissions and card settings are changed outside."
        )
        yield Finding(HOST, "container", "info", text)
    else:
        yield Finding(HOST, "container", "ok", "None: process ids on a card are the ones seen here.")


def load() -> Iterator[Finding]:
    """Use of the CPU by other programs."""
    cores, average = os.cpu_count() or 1, os.getloadavg()[0]
    text = f"Load average {average:.1f} on {cores} cores over the last minute"
    if average / cores > LOAD_PER_CORE:
        text = f"{text}: other programs slow the work down and count into host figures."
        yield Finding(HOST, "load", "warn", text, "ps -eo pcpu,pid,comm --sort=-pcpu | head")
    else:
        yield Finding(HOST, "load", "ok", f"{text}.")


def measurements(uuids: Iterable[str]) -> Iterator[Finding]:
    """Whether another run measures here now: a run beside it is refused."""
    for name in (CPU, *uuids):
        if who := holder(name):
            text = f"{who} is measuring on {name}, and a run there is refused until it ends."
            yield Finding(HOST, "measurements", "warn", text)


def governor() -> Iterator[Finding]:
    """Linux's governor of the CPU's clock."""
    found = set()
    for file in CPU_DEVICES.glob("cpu[0-9]*/cpufreq/scaling_governor"):
        try:
            found.add(file.read_text(encoding="utf-8", errors="replace").strip())
        except (OSError, ValueError):  # a core that has just been switched off
            continue
    names = ", ".join(sorted(found))
    if not found:
        yield Finding(
            HOST,
            "CPU governor",
            "info",
            "It cannot be read here, so the CPU's clock is not known to be steady.",
        )
    elif found == {"performance"}:
        yield Finding(HOST, "CPU governor", "ok", "performance: the CPU's clock does not wait for load.")
    else:
        text = f"{names}: the clock follows the load, which adds spread to short work on the CPU."
        yield Finding(HOST, "CPU governor", "info", text, "sudo cpupower frequency-set -g performance")


def results(folder: Path) -> Iterator[Finding]:
    """Whether records can be written. Nothing is left behind: the probe is a file without a name."""
    place = nearest(folder)
    other = "python -m bench run --results DIR"
    try:
        if not place.is_dir():
            raise NotADirectoryError(20, "it is a file")
        if not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to write")
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(b"writable\n")
            probe.flush()
            os.fsync(probe.fileno())
        free = shutil.disk_usage(place).free
    except OSError as error:
        text = f"{folder} cannot be written: {error.strerror or error}."
        yield Finding(DISK, "results", "missing", text, other, needed=True)
        return
    if free < NEEDED_BYTES:
        text = f"Only {free / 1e6:.0f} MB are free for {folder}; a run asks for {NEEDED_BYTES / 1e6:.0f} MB."
        yield Finding(DISK, "results", "missing", text, other, needed=True)
        return
    there = "can be written" if place == folder else "does not exist yet and can be made"
    yield Finding(DISK, "results", "ok", f"{folder} {there}; {free / 1e9:.0f} GB free.")


def cache_space(cache: Path, catalogue: Catalogue | None) -> Iterator[Finding]:
    """Room for weights in the folder where downloads go."""
    free = shutil.disk_usage(nearest(cache)).free
    text = f"{free / 1e9:.0f} GB free for downloaded models in {cache}"
    sizes = [model.memory_gb for model in catalogue.models.values()] if catalogue else []
    if sizes:
        fitting = sum(size * 1e9 < free for size in sizes)
        text += f": room for any one of {fitting} of the {len(sizes)} models"
    if free < LOW_DISK_BYTES:
        yield Finding(DISK, "model cache", "warn", f"{text}.", "export HF_HOME=/a/larger/disk/huggingface")
    else:
        yield Finding(DISK, "model cache", "ok", f"{text}.")


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
