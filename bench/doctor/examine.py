"""Examination of a machine: every check of this room, in the order of reading.

report = examine(gpus=None, models=None, results=Path("results"))
report.findings, report.scopes, report.exit_status
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.catalog.models import Catalogue
from bench.core.energy import FigureKind
from bench.dependencies import package_version
from bench.doctor import cards, drivers, host, hub, software, verdict
from bench.doctor.findings import Finding, findings_of
from bench.doctor.gpu_samples import watch
from bench.doctor.probes import CODECARBON, HUB_QUESTION, TORCH, Probe, ProbeAnswer
from bench.machine import provenance
from bench.machine.placement import place
from bench.meters import sources
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.sources import rapl


@dataclass(frozen=True)
class GpuLimits:
    """Time limit of each part, in seconds; together less than eight."""

    watch_s: float = 2.0
    longest_watch_s: float = 3.0
    probe_s: float = 4.0
    hub_s: float = 2.0


LIMITS = GpuLimits()


@dataclass(frozen=True)
class DoctorReport:
    """All findings in the order of reading; `scopes` is the kind of figure that each scope can have here."""

    findings: tuple[Finding, ...]
    scopes: dict[str, FigureKind]

    @property
    def exit_status(self) -> int:
        """Exit status: 2 if a run could not begin, else 0, also where joules would only be estimated."""
        return 2 if any(finding.broken for finding in self.findings) else 0


def examine(
    gpus: str | None, models: Path | None, results: Path, limits: GpuLimits | None = None
) -> DoctorReport:
    """Look at everything. Raises UsageError where `gpus` names cards that are not there."""
    with GpuDrivers() as opened:
        chosen = opened.gpus if gpus is None else place(opened, gpus, "cpu").named
        return _Examination(opened, chosen, models, results, limits or LIMITS).report()


class _Examination:
    """One look at a machine: slow things overlap where they do not disturb one another."""

    def __init__(
        self,
        opened: GpuDrivers,
        gpus: tuple[Gpu, ...],
        models: Path | None,
        results: Path,
        limits: GpuLimits,
    ) -> None:
        self._drivers = opened
        self._gpus = gpus
        self._results = results
        self._limits = limits
        self._rapl = host.RaplWatch()
        self._others = host.SourceWatch(sources.opened(besides=[rapl.FACTS]))
        self._container = provenance.in_container()
        self._catalogue, self._catalogue_finding = software.catalogue(models)

    def report(self) -> DoctorReport:
        """Watch the cards while nothing else runs, then let the probes work behind the quick checks."""
        watched = watch(self._gpus, self._limits.watch_s, self._limits.longest_watch_s)
        probes: list[Probe] = []
        try:
            torch = self._torch_probe(probes)
            codecarbon = self._codecarbon_probe(probes)
            asked = self._hub_probe(probes)
            asked_of = drivers.findings(self._drivers, self._container)
            each_card = cards.findings(self._drivers, self._gpus, watched, self._results)
            quick = [*asked_of, *each_card, *self._host()]
            found = [*quick, *self._software(torch, codecarbon), *self._models(asked)]
        finally:
            for probe in probes:
                probe.end()
        working = not any(finding.name == "CodeCarbon" and finding.state == "missing" for finding in found)
        wider = {it.subject for it in found if it.name in cards.COUNTER_CHECKS and it.state == "missing"}
        whole = [watched[gpu.uuid] for gpu in self._gpus if f"gpu {gpu.index}" not in wider]
        moving = (*self._rapl.moving, *self._others.moving)
        scopes = verdict.scopes(whole, moving, estimates=working, stuck=self._rapl.stuck)
        return DoctorReport((*found, verdict.closing(scopes, found)), scopes)

    def _torch_probe(self, probes: list[Probe]) -> Probe | None:
        if package_version("torch") is None:
            return None
        probes.append(Probe(TORCH, (), self._limits.probe_s))
        return probes[-1]

    def _codecarbon_probe(self, probes: list[Probe]) -> Probe:
        country = self._catalogue.defaults.country if self._catalogue else "USA"
        indices = [str(gpu.number) for gpu in self._gpus if gpu.facts.codecarbon_program]
        probes.append(Probe(CODECARBON, (country, *indices), self._limits.probe_s))
        return probes[-1]

    def _hub_probe(self, probes: list[Probe]) -> Probe | None:
        question = hub.question(self._catalogue)
        if question is None or hub.offline() or package_version("huggingface_hub") is None:
            return None
        probes.append(Probe(HUB_QUESTION, (*question, str(self._limits.hub_s)), self._limits.probe_s))
        return probes[-1]

    def _host(self) -> Iterator[Finding]:
        yield from findings_of(host.HOST, "RAPL", self._rapl.findings)
        yield from findings_of(host.HOST, "energy sources", self._others.findings)
        yield from findings_of(host.HOST, "container", lambda: host.container(self._container))
        yield from findings_of(host.HOST, "load", host.load)
        uuids = [gpu.uuid for gpu in self._gpus]
        yield from findings_of(host.HOST, "measurements", lambda: host.measurements(uuids))
        yield from findings_of(host.HOST, "CPU governor", host.governor)

    def _software(self, torch: Probe | None, codecarbon: Probe) -> Iterator[Finding]:
        said: ProbeAnswer | None = torch.answer() if torch else None
        count = sum(gpu.facts.visible_by is not None for gpu in self._drivers.gpus)
        yield from findings_of(software.SOFTWARE, "run packages", software.packages)
        yield from findings_of(software.SOFTWARE, "PyTorch", lambda: software.torch(said, count))
        yield from findings_of(
            software.SOFTWARE, "CodeCarbon", lambda: software.codecarbon(codecarbon.answer())
        )
        for driver in self._drivers.opened:
            program = driver.facts.codecarbon_program
            if driver.gpus and program:
                check = partial(software.smi, driver.facts, program, driver.versions().driver)
                yield from findings_of(software.SOFTWARE, program, check)
        yield from findings_of(software.SOFTWARE, "CodeCarbon settings", software.codecarbon_settings)

    def _models(self, asked: Probe | None) -> Iterator[Finding]:
        yield self._catalogue_finding
        catalogue = self._catalogue
        names = hub.cached_models(catalogue) if catalogue else ()
        yield from findings_of(
            hub.HUB, "reachable", lambda: hub.reachable(asked.answer() if asked else None, len(names))
        )
        if catalogue:
            yield from findings_of(hub.HUB, "cached", lambda: hub.cached(names, catalogue))
        yield from findings_of(hub.HUB, "token", lambda: hub.token(catalogue))
        yield from findings_of(host.DISK, "results", lambda: host.results(self._results))
        yield from findings_of(host.DISK, "model cache", lambda: _cache_space(catalogue))


def _cache_space(catalogue: Catalogue | None) -> Iterator[Finding]:
    try:
        folder = hub.cache()
    except RuntimeError:  # this user has no home
        yield hub.no_home(host.DISK, "model cache")
        return
    yield from host.cache_space(folder, catalogue)
