"""CPU and memory energy through Linux's powercap files (RAPL).

Packages and dram are read; `psys` contains them and is left out. The counters wrap (after 262 kJ, or 749 s
at 350 W), so readings are accumulated here and must come more often than that: the recorder sees to it.
Root-only on most machines; what cannot be read is absent with the reason. Where one package of several cannot
be read, none is used, and likewise for memory: the sum of the others is not the CPU's energy, and an estimate
of the whole is nearer (462 J were once reported for 660).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from bench.core.source import RAPL_GAIN, SourceFacts
from bench.meters.base import Reading

FACTS = SourceFacts("rapl", plausible_w=2_000.0, tick_s=0.05, longest_unseen_s=15.0, gain=RAPL_GAIN)
"""The largest packages are made for 500 W. Counters move every millisecond; the smallest wrap at 65 kJ, which
8.7 kW would wrap twice in `longest_unseen_s`."""
POWERCAP = Path("/sys/class/powercap")
UNSEEN_S = 1.0
"""A counter may be this late when it is first read, and a reading this late on a busy machine."""
PART_ONLY = "readable, but only a part"
"""Beginning of the reason for a zone left out because another one of its kind cannot be read."""


@dataclass
class _Zone:
    path: Path
    wraps_at_uj: int
    last_uj: int
    moved_ns: int
    """Time of its last seen move."""
    total_uj: int = 0
    broken: int = 0
    """Number of moves so far that cannot be true."""

    def add(self, now_uj: int, t_ns: int) -> None:
        """Count on to `now_uj`.

        A move that cannot be true begins the total anew, 1 J below where it last began: readers see it go
        backwards, also where nothing had been counted yet (183 J were once reported for 200).
        """
        step_uj = now_uj - self.last_uj
        step_uj += self.wraps_at_uj if step_uj < 0 else 0
        seconds = max(UNSEEN_S, (t_ns - self.moved_ns) / 1e9)
        if step_uj <= FACTS.plausible_w * seconds * 1e6:
            self.total_uj += step_uj
        else:
            self.broken += 1
            self.total_uj = -self.broken * 1_000_000
        self.moved_ns = t_ns if step_uj else self.moved_ns
        self.last_uj = now_uj


class Rapl:
    """The readable zones of this machine, each as one cumulative domain."""

    def __init__(self, root: Path = POWERCAP) -> None:
        self.absent: dict[str, str] = {}
        self._zones: dict[str, _Zone] = {}
        zones = sorted(root.glob("intel-rapl:*")) if root.is_dir() else []
        if not zones:
            self.absent["cpu"] = "this machine offers no RAPL (no intel-rapl zone under powercap)"
        for zone in zones:
            self._add(zone)
        self._drop_parts()
        if not (self._zones or self.absent):
            self.absent["cpu"] = "RAPL shows neither packages nor dram here (psys and parts are not counted)"
        self._drop_mirrors()

    @property
    def domains(self) -> tuple[str, ...]:
        """`cpu:package-0`, `dram:0`, ... as far as they can be read."""
        return tuple(self._zones)

    def _add(self, zone: Path) -> None:
        try:
            domain = _domain(zone.name, (zone / "name").read_text(encoding="utf-8", errors="replace").strip())
        except (OSError, ValueError) as error:
            self.absent[zone.name] = f"RAPL answers with an error: {error}"
            return
        if domain is None:
            return
        try:
            wraps_at_uj, now_uj = _number(zone / "max_energy_range_uj"), _number(zone / "energy_uj")
        except PermissionError:
            self.absent[domain] = "only root may read RAPL here (chmod a+r the energy_uj files to allow it)"
        except (OSError, ValueError) as error:
            self.absent[domain] = f"RAPL answers with an error: {error}"
        else:
            if 0 <= now_uj <= wraps_at_uj:
                self._zones[domain] = _Zone(zone, wraps_at_uj, now_uj, time.monotonic_ns())
            else:
                self.absent[domain] = f"RAPL reads {now_uj} µJ, beyond its range of {wraps_at_uj} µJ"

    def _drop_parts(self) -> None:
        """Leave out all packages where one exists that cannot be read; the same for memory."""
        for family, nameless in (("cpu", r"intel-rapl:\d+"), ("dram", r"intel-rapl:\d+:\d+")):
            unread = [
                name
                for name in self.absent
                if name.startswith(f"{family}:") or re.fullmatch(nameless, name)  # it may be one
            ]
            for domain in [name for name in self._zones if unread and name.startswith(f"{family}:")]:
                del self._zones[domain]
                self.absent[domain] = f"{PART_ONLY}: {', '.join(unread)} cannot be read"

    def _drop_mirrors(self) -> None:
        """Some AMD parts show one socket's counter once a die: keep the first of identical ones."""
        kept: dict[str, _Zone] = {}
        for domain, zone in self._zones.items():
            twin = next((name for name, other in kept.items() if _mirrors(zone, other)), None)
            if twin is None:
                kept[domain] = zone
            else:
                self.absent[domain] = f"mirrors {twin}"
        self._zones = kept

    def read(self) -> dict[str, Reading]:
        """Every zone's energy since this object was made, wraps added up; less than before after a reset."""
        readings = {}
        for domain, zone in self._zones.items():
            t_ns = time.monotonic_ns()
            try:
                zone.add(_number(zone.path / "energy_uj"), t_ns)
            except (OSError, ValueError) as error:
                readings[domain] = Reading(t_ns, None, f"RAPL answers with an error: {error}")
            else:
                readings[domain] = Reading(t_ns, zone.total_uj / 1e6)
        return readings


def _number(file: Path) -> int:
    return int(file.read_text(encoding="ascii"))


def _mirrors(zone: _Zone, other: _Zone) -> bool:
    """Whether two zones show one counter: as it moves on meanwhile, one is read between two of the other."""
    try:
        first, between, last = (_number(each.path / "energy_uj") for each in (other, zone, other))
    except (OSError, ValueError):
        return False
    return 0 < first <= between <= last


def _domain(folder: str, name: str) -> str | None:
    """`intel-rapl:0` named `package-0` -> `cpu:package-0`; `intel-rapl:0:1` named `dram` -> `dram:0`.

    Packages of several dies have a zone for each die, named `package-0-die-1`.
    """
    if re.fullmatch(r"package-\d+(-die-\d+)?", name):
        return f"cpu:{name}"
    if name == "dram":
        return f"dram:{folder.split(':')[1]}"
    return None


def open_source() -> Rapl:
    """RAPL's zones of this machine."""
    return Rapl()
