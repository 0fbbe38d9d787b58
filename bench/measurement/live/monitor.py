"""Account from look to look: joules, power, the cards' state, their processes, and its own cost."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil

from bench.machine.placement import hidden_cards
from bench.measurement.live.gpu_users import GpuUsers
from bench.measurement.live.snapshot import DomainSnapshot, GpuSnapshot, Snapshot, totals
from bench.meters.codecarbon import CodeCarbon
from bench.meters.gpu import Gpu
from bench.meters.gpu_status import gpu_status
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import Recorder
from bench.meters.running_energy import DomainTotal, RunningEnergy
from bench.meters.window_meters import EstimateMeter, unread

NO_STEP_YET = "no two readings with energy between them yet"
AT_THE_END = "estimated over the whole command, at its end"
COUNTS_MORE = {
    "mig": "split into MIG slices: power and joules are the whole card's",
    "module": "its counter is the whole module's: GPU, CPU and memory",
}


class LiveMonitor:
    """Looks at some cards and at the host, again and again; begins when it is made.

    Without a CodeCarbon, what no source reads is not estimated, and the sum at scope `host` is absent. Its
    load of the CPU is that since the last call in this process, so two of them would disturb each other.
    """

    def __init__(
        self, drivers: GpuDrivers, recorder: Recorder, gpus: Sequence[Gpu], codecarbon: CodeCarbon | None
    ) -> None:
        self._drivers, self._recorder, self._gpus = drivers, recorder, tuple(gpus)
        unmetered = unread(recorder.source_domains)
        self._estimates = None if codecarbon is None else EstimateMeter(codecarbon, unmetered)
        self._estimated = {name: DomainTotal("codecarbon", "estimated") for name in unmetered}
        self._users = {gpu.domain: GpuUsers(gpu) for gpu in gpus}
        self._notes = {gpu.domain: COUNTS_MORE.get(gpu.counts_more() or "") for gpu in gpus}
        self._absent = _absent(drivers, recorder, self._gpus)
        if codecarbon is None:
            self._absent |= dict.fromkeys(unmetered, AT_THE_END)
        self._begun_ns = time.monotonic_ns()
        self._begun_cpu_s = _cpu_s()
        self._tally = RunningEnergy(recorder, gpus, self._begun_ns)
        if self._estimates is not None:
            self._estimates.open()

    def look(self) -> Snapshot:
        """Everything as of now."""
        now_ns = time.monotonic_ns()
        counted = self._tally.advance(now_ns)
        cards = {gpu.domain: gpu for gpu in self._gpus}
        domains = [
            self._card(cards[domain], total, now_ns) if domain in cards else _plain(domain, total)
            for domain, total in counted.items()
        ]
        if self._estimates is not None:
            domains += self._estimate(self._estimates)
        return Snapshot(
            elapsed_s=(now_ns - self._begun_ns) / 1e9,
            domains=tuple(domains),
            absent=self._absent,
            totals=totals(domains, whole_host=self._estimates is not None or not self._estimated),
        )

    def users_seen(self, gpu: Gpu) -> set[int]:
        """Every process seen on a card so far."""
        return self._users[gpu.domain].seen

    def own_share(self) -> float:
        """Cost of looking in cores: this process' share of one and the recorder's, since the beginning."""
        seconds = (time.monotonic_ns() - self._begun_ns) / 1e9
        return (_cpu_s() - self._begun_cpu_s) / seconds + self._recorder.own_cost().get("cpu_share", 0.0)

    def _card(self, gpu: Gpu, counted: DomainTotal, now_ns: int) -> DomainSnapshot:
        status = gpu_status(self._recorder, gpu.index, now_ns)
        users, note = self._users[gpu.domain].look(counted.step_j, status.utilisation_percent)
        reason = counted.reason or (NO_STEP_YET if counted.energy_j is None else None)
        if status.power_w is None and reason is not None:  # the driver's reason is the better one
            reason = gpu.read().reason or reason
        return DomainSnapshot(
            domain=gpu.domain,
            kind=counted.kind,
            source=counted.source,
            power_w=status.power_w,
            power_source=status.power_source,
            energy_j=counted.energy_j,
            seconds=counted.seconds,
            lost_s=counted.lost_s,
            reason=reason,
            card=GpuSnapshot(
                index=gpu.index,
                name=gpu.name,
                temperature_c=status.temperature_c,
                sm_clock_mhz=status.sm_clock_mhz,
                memory_clock_mhz=status.memory_clock_mhz,
                throttle=status.throttle,
                utilisation_percent=status.utilisation_percent,
                users=users,
                note="; ".join(filter(None, (self._notes[gpu.domain], note))) or None,
            ),
        )

    def _estimate(self, meter: EstimateMeter) -> list[DomainSnapshot]:
        """CodeCarbon's task since the last look; the next one begins at once."""
        estimated, task = meter.close(None), meter.task
        meter.open()
        assert task is not None, "set by close"
        for domain, energy in estimated.items():
            before = self._estimated[domain]
            self._estimated[domain] = before.plus(energy.gross_j, task.duration_s, energy.reason)
        return [_plain(domain, counted) for domain, counted in self._estimated.items()]


def _plain(domain: str, counted: DomainTotal) -> DomainSnapshot:
    """A domain other than a card: its power is the mean of the last step."""
    return DomainSnapshot(
        domain=domain,
        kind=counted.kind,
        source=counted.source,
        power_w=counted.step_j / counted.step_s if counted.step_s else None,
        power_source=counted.source if counted.step_s else None,
        energy_j=counted.energy_j,
        seconds=counted.seconds,
        lost_s=counted.lost_s,
        reason=counted.reason or (NO_STEP_YET if counted.energy_j is None else None),
    )


def _absent(drivers: GpuDrivers, recorder: Recorder, gpus: Sequence[Gpu]) -> dict[str, str]:
    lost = {f"GPU {index}": reason for index, reason in drivers.lost.items()}
    why = drivers.absent or hidden_cards(drivers)
    none = {"GPU": why} if why and not gpus else {}
    return none | lost | recorder.source_absent


def _cpu_s() -> float:
    spent = psutil.Process().cpu_times()
    return spent.user + spent.system
