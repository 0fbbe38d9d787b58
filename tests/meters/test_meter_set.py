"""The meters of a case together: windows whose true energy is known, on cards that do and do not behave."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.core.block import CodeCarbonTask
from bench.core.energy import DomainEnergy
from bench.meters.base import unreadable
from bench.meters.gpus import GpuDrivers
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow
from bench.meters.nvml_library import POWER_INSTANT
from bench.meters.recorder import Recorder
from bench.meters.window_meters import EstimateMeter, GpuMeter, SourceMeter
from tests.standin import Family, StandIn
from tests.support.metering import MS, QuietCodeCarbon, Recorded, S, fast_row, self_row, source_row
from tests.support.processes import run_python

LOAD_W, BASE_W, TICK_NS = 350.0, 70.0, 100 * MS


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """A recording without rows and without RAPL."""
    return Recorded(tmp_path / "samples.bin")


@pytest.fixture
def meter_set(drivers: GpuDrivers, recorded: Recorded) -> MeterSet:
    """A meters of the first card alone, on the clock that only the test moves."""
    return MeterSet(drivers, recorded, QuietCodeCarbon(), drivers.gpus[:1])


def error_of(window: MeteredWindow, standin: StandIn, start_ns: int, end_ns: int, gpu: int = 0) -> float:
    """How far a card's joules are from the true ones, as a fraction."""
    joules = window.energy[f"gpu:{standin.gpu(gpu).uuid.decode()}"].gross_j
    assert joules is not None
    return joules / standin.true_energy_j(gpu, start_ns, end_ns) - 1


# ---- the plain counter's known bias --------------------------------------------------------------------


@pytest.mark.parametrize("start_ms", [0, 1, 37, 99])
@pytest.mark.parametrize("length_ms", [5000, 5042, 30099])
def test_counter_errs_by_what_its_ticks_hide_and_no_more(
    meter_set: MeterSet, clocked: StandIn, start_ms: int, length_ms: int
) -> None:
    """From idle into load: at the start it still owes an idle piece of a tick, at the end a loaded one."""
    clocked.advance_ns(2 * S + start_ms * MS)
    start_ns = clocked.now_ns()
    clocked.load(0, start_ns, LOAD_W)
    opened = meter_set.open()
    clocked.advance_ns(length_ms * MS)
    window, end_ns = meter_set.close(opened), clocked.now_ns()
    hidden_j = (BASE_W * (start_ns % TICK_NS) - LOAD_W * (end_ns % TICK_NS)) / 1e9
    joules = window.energy[meter_set.domains[0]].gross_j
    assert joules == pytest.approx(LOAD_W * length_ms / 1e3 + hidden_j, abs=0.002)
    assert -2.0e-2 <= error_of(window, clocked, start_ns, end_ns) * (length_ms / 5000) <= 0.4e-2


@pytest.mark.parametrize(
    ("seconds", "bias", "spread"),
    [(1, -3.8e-2, 3.0e-2), (5, -0.74e-2, 0.57e-2), (30, -0.15e-2, 0.10e-2), (60, -0.07e-2, 0.05e-2)],
)
def test_windows_of_page_like_load_have_the_known_bias_and_spread(
    meter_set: MeterSet, clocked: StandIn, seconds: int, bias: float, spread: float
) -> None:
    """Pages of about a second with short gaps, from idle into load, at random phases of the tick."""
    chance = random.Random(seconds)
    errors = []
    for _ in range(150):
        clocked.load(0, clocked.now_ns(), BASE_W)
        clocked.advance_ns(round(chance.uniform(2.0, 2.1) * S))
        start_ns = clocked.now_ns()
        end_ns = start_ns + seconds * S
        page_ns = start_ns
        while page_ns < end_ns:
            length_ns = round(chance.uniform(0.8, 1.2) * S)
            clocked.load(0, page_ns, LOAD_W)
            clocked.load(0, page_ns + length_ns, 120.0)
            page_ns += length_ns + 40 * MS
        opened = meter_set.open()
        clocked.advance_ns(seconds * S)
        errors.append(error_of(meter_set.close(opened), clocked, start_ns, end_ns))
        clocked.clear_load()
    assert np.mean(errors) == pytest.approx(bias, abs=0.3 * abs(bias))
    assert np.std(errors) < 1.2 * spread
    assert max(np.abs(errors)) < abs(bias) + 3 * spread


# ---- which cards, and cards with trouble ---------------------------------------------------------------


def test_only_the_metered_card_is_counted(drivers: GpuDrivers, clocked: StandIn, recorded: Recorded) -> None:
    clocked.load(0, 0, 600.0)
    clocked.load(1, 0, 100.0)
    meter_set = MeterSet(drivers, recorded, QuietCodeCarbon(), (drivers.gpus[1],))
    opened = meter_set.open()
    clocked.advance_ns(10 * S)
    energy = meter_set.close(opened).energy
    assert [domain for domain in energy if domain.startswith("gpu:")] == [drivers.gpus[1].domain]
    assert energy[drivers.gpus[1].domain] == DomainEnergy(gross_j=1000.0, source="counter", kind="measured")


def test_cards_are_told_apart_by_uuid_not_by_order(clocked: StandIn, recorded: Recorded) -> None:
    clocked.gpu(0).uuid, clocked.gpu(1).uuid = b"GPU-ffff", b"GPU-aaaa"
    clocked.load(0, 0, 600.0)
    clocked.load(1, 0, 100.0)
    with GpuDrivers() as drivers:
        meter_set = MeterSet(
            drivers, recorded, QuietCodeCarbon(), (drivers.find("GPU-aaaa"), drivers.find("GPU-ffff"))
        )
        opened = meter_set.open()
        clocked.advance_ns(S)
        energy = meter_set.close(opened).energy
    assert {domain: each.gross_j for domain, each in energy.items() if "gpu" in domain} == {
        "gpu:GPU-aaaa": 100.0,
        "gpu:GPU-ffff": 600.0,
    }


def test_windows_may_overlap(meter_set: MeterSet, clocked: StandIn) -> None:
    clocked.load(0, 0, 100.0)
    outer = meter_set.open()
    clocked.advance_ns(S)
    inner = meter_set.open()
    clocked.advance_ns(2 * S)
    assert meter_set.close(inner).energy[meter_set.domains[0]].gross_j == 200.0
    clocked.advance_ns(S)
    assert meter_set.close(outer).energy[meter_set.domains[0]].gross_j == 400.0


def test_counter_reset_in_a_window_gives_no_number(meter_set: MeterSet, clocked: StandIn) -> None:
    clocked.advance_ns(20 * S)
    opened = meter_set.open()
    clocked.advance_ns(5 * S)
    clocked.reset_counter(0)
    clocked.advance_ns(5 * S)
    energy = meter_set.close(opened).energy[meter_set.domains[0]]
    assert energy.gross_j is None
    assert "backwards" in str(energy.reason)


def test_frozen_counter_gives_no_zero(meter_set: MeterSet, clocked: StandIn) -> None:
    clocked.advance_ns(20 * S)
    clocked.freeze_counter(0)
    opened = meter_set.open()
    clocked.advance_ns(5 * S)
    energy = meter_set.close(opened).energy[meter_set.domains[0]]
    assert energy.gross_j is None
    assert "did not move" in str(energy.reason)


def test_card_lost_in_a_window_gives_the_reason_and_the_other_its_joules(
    drivers: GpuDrivers, clocked: StandIn, recorded: Recorded
) -> None:
    meter_set = MeterSet(drivers, recorded, QuietCodeCarbon(), drivers.gpus)
    opened = meter_set.open()
    clocked.advance_ns(5 * S)
    clocked.lose(0)
    clocked.advance_ns(5 * S)
    lost, other = (meter_set.close(opened).energy[domain] for domain in meter_set.domains[:2])
    assert (lost.gross_j, lost.reason) == (None, "the GPU is lost (fallen off the bus)")
    assert other.gross_j == 700.0


def test_counter_missing_at_one_edge_only_is_not_filled_in_with_power(
    meter_set: MeterSet, clocked: StandIn, recorded: Recorded
) -> None:
    clocked.fail(Family.ENERGY, 999, times=2)  # the field, and the call of its own
    opened = meter_set.open()
    now_ns = time.monotonic_ns()
    recorded.write(*(fast_row(now_ns + i * MS, instant_w=70.0) for i in range(5)))
    clocked.advance_ns(5 * S)
    energy = meter_set.close(opened).energy[meter_set.domains[0]]
    assert energy.gross_j is None
    assert energy.reason == "the driver reported an unknown error"


def test_card_without_a_counter_and_without_samples_gives_the_reason(
    meter_set: MeterSet, clocked: StandIn
) -> None:
    clocked.gpu(0).counter_supported = False
    opened = meter_set.open()
    clocked.advance_ns(5 * S)
    energy = meter_set.close(opened).energy[meter_set.domains[0]]
    assert (energy.gross_j, energy.reason) == (None, "this GPU or driver does not support it")


def test_machine_without_gpus_says_why(clocked: StandIn, recorded: Recorded) -> None:
    clocked.control.gpu_count = 0
    with GpuDrivers() as drivers:
        meter_set = MeterSet(drivers, recorded, QuietCodeCarbon(), ())
        assert meter_set.absent["gpu"] == "the driver reports no GPU"
        assert meter_set.domains == ("cpu-estimate", "ram-estimate")
        assert set(meter_set.close(meter_set.open()).energy) == {"cpu-estimate", "ram-estimate"}


def test_gpus_that_nobody_asked_for_are_not_absent(drivers: GpuDrivers, recorded: Recorded) -> None:
    assert GpuMeter(drivers, recorded, ()).absent == {}


# ---- what no meter reads -------------------------------------------------------------------------------


def test_without_rapl_cpu_and_memory_are_estimates(meter_set: MeterSet, clocked: StandIn) -> None:
    assert meter_set.domains[1:] == ("cpu-estimate", "ram-estimate")
    assert meter_set.absent == {"cpu": "this machine offers no RAPL"}
    opened = meter_set.open()
    clocked.advance_ns(S)
    energy = meter_set.close(opened).energy
    assert energy["cpu-estimate"] == DomainEnergy(gross_j=12.0, source="codecarbon", kind="estimated")
    assert energy["ram-estimate"] == DomainEnergy(gross_j=3.0, source="codecarbon", kind="estimated")
    assert energy[meter_set.domains[0]].kind == "measured"


def test_estimate_that_is_missing_keeps_its_reason() -> None:
    task = CodeCarbonTask(
        duration_s=1.0,
        gpu_j=None,
        cpu_j=None,
        ram_j=3.0,
        carbon_g=None,
        absent={"cpu_j": "CodeCarbon reports 0 J for the CPU"},
    )
    meter = EstimateMeter(QuietCodeCarbon(task), ("cpu-estimate", "ram-estimate"))
    meter.open()
    energy = meter.close(None)
    assert energy["cpu-estimate"] == DomainEnergy(
        gross_j=None,
        source="codecarbon",
        kind="estimated",
        reason="CodeCarbon reports 0 J for the CPU",
    )
    assert energy["ram-estimate"].gross_j == 3.0


@pytest.mark.parametrize(
    ("rapl", "estimates"),
    [
        (("cpu:package-0", "dram:0"), ()),
        (("cpu:package-0", "cpu:package-1"), ("ram-estimate",)),
        (("dram:0",), ("cpu-estimate",)),
    ],
)
def test_what_rapl_reads_is_not_estimated_as_well(
    drivers: GpuDrivers, tmp_path: Path, rapl: tuple[str, ...], estimates: tuple[str, ...]
) -> None:
    meter_set = MeterSet(drivers, Recorded(tmp_path / "rows", rapl), QuietCodeCarbon(), drivers.gpus[:1])
    assert meter_set.domains == (drivers.gpus[0].domain, *rapl, *estimates)
    assert set(meter_set.close(meter_set.open()).energy) == set(meter_set.domains)


# ---- RAPL in a window ----------------------------------------------------------------------------------


@pytest.fixture
def ticking(tmp_path: Path) -> Iterator[Recorded]:
    """RAPL rows that come 20 times a second while the test runs: 100 W, and a zone that stands still."""
    recorded = Recorded(tmp_path / "ticking.bin", ("cpu:package-0", "dram:0"), alive=True)
    ended = threading.Event()
    begun_ns = time.monotonic_ns()

    def tick() -> None:
        while not ended.wait(0.05):
            now_ns = time.monotonic_ns()
            recorded.write(source_row(now_ns, 0, (now_ns - begun_ns) * 100e-9), source_row(now_ns, 1, 7.0))

    thread = threading.Thread(target=tick)
    thread.start()
    time.sleep(0.12)
    yield recorded
    ended.set()
    thread.join()


def test_rapl_energy_is_that_of_the_window_however_slow_the_other_meters_are(
    drivers: GpuDrivers, ticking: Recorded, clocked: StandIn
) -> None:
    slow = QuietCodeCarbon(on_start=lambda: time.sleep(0.2), on_stop=lambda: time.sleep(0.2))
    meter_set = MeterSet(drivers, ticking, slow, drivers.gpus[:1])
    opened = meter_set.open()
    time.sleep(0.2)
    window = meter_set.close(opened)
    joules = window.energy["cpu:package-0"].gross_j
    assert joules == pytest.approx(100 * window.seconds, rel=0.05)
    assert window.energy["cpu:package-0"].source == "rapl"
    assert window.energy["cpu:package-0"].kind == "measured"


def test_rapl_domain_that_stands_still_gives_no_zero(ticking: Recorded) -> None:
    meter = SourceMeter(ticking)
    opened = meter.open()
    time.sleep(0.1)
    energy = meter.close(opened)
    assert energy["dram:0"] == unreadable("rapl", "the counter did not move")
    assert energy["cpu:package-0"].gross_j is not None


def test_rapl_waits_for_its_own_row_not_for_any(tmp_path: Path) -> None:
    """A window may end while a tick is being taken: its last row is past the end, its RAPL row is not."""
    recorded = Recorded(tmp_path / "rows", ("cpu:package-0",), alive=True)
    start_ns, end_ns = 10 * S, 20 * S
    recorded.write(source_row(start_ns - 5 * MS, 0, 1.0), source_row(end_ns - 5 * MS, 0, 101.0))
    recorded.write(self_row(end_ns + 5 * MS))
    tick = threading.Timer(0.2, lambda: recorded.write(source_row(end_ns + 45 * MS, 0, 101.5)))
    tick.start()
    energy = SourceMeter(recorded).close(start_ns, end_ns)["cpu:package-0"]
    tick.join()
    assert energy.gross_j == pytest.approx(100.0)


def test_dead_recorder_leaves_rapl_without_a_number_but_a_reason(tmp_path: Path) -> None:
    meter = SourceMeter(Recorded(tmp_path / "rows", ("cpu:package-0",)))
    energy = meter.close(meter.open())["cpu:package-0"]
    assert energy.gross_j is None
    assert "did not see all" in str(energy.reason)


# ---- the order of things -------------------------------------------------------------------------------


def test_codecarbon_is_outside_of_the_counter_readings(
    drivers: GpuDrivers, clocked: StandIn, recorded: Recorded
) -> None:
    reads: list[int] = []

    def note() -> None:
        reads.append(clocked.calls(Family.FIELDS))

    meter_set = MeterSet(drivers, recorded, QuietCodeCarbon(on_start=note, on_stop=note), drivers.gpus)
    before = clocked.calls(Family.FIELDS)
    opened = meter_set.open()
    assert clocked.calls(Family.FIELDS) == before + 2
    meter_set.close(opened)
    assert reads == [before, before + 4], "started before the first reading, stopped after the last"


def test_stamps_are_inside_of_the_readings_and_exclude_the_meters_own_time(
    drivers: GpuDrivers, clocked: StandIn, recorded: Recorded
) -> None:
    clocked.gpu(0).latency_us = 50_000
    slow = QuietCodeCarbon(on_start=lambda: time.sleep(0.1), on_stop=lambda: time.sleep(0.3))
    meter_set = MeterSet(drivers, recorded, slow, drivers.gpus[:1])
    begun_ns = time.monotonic_ns()
    opened = meter_set.open()
    opened_ns = time.monotonic_ns()
    time.sleep(0.1)
    closing_ns = time.monotonic_ns()
    window = meter_set.close(opened)
    assert begun_ns + 150 * MS <= opened.start_ns <= opened_ns
    assert window.start_ns == opened.start_ns
    assert closing_ns <= window.end_ns <= closing_ns + 40 * MS
    assert window.seconds == (window.end_ns - window.start_ns) / 1e9
    assert window.task == slow.reading


# ---- on the real clock ---------------------------------------------------------------------------------


@dataclass
class Metered:
    """One window of five seconds over four cards: at each a phase of its own between load and tick."""

    standin: StandIn
    drivers: GpuDrivers
    window: MeteredWindow

    def energy(self, gpu: int) -> DomainEnergy:
        return self.window.energy[self.drivers.gpus[gpu].domain]

    def truth_j(self, gpu: int) -> float:
        return self.standin.true_energy_j(gpu, self.window.start_ns, self.window.end_ns)


PLAIN, NO_COUNTER, AVERAGE_ONLY, RESET = range(4)


@pytest.fixture(scope="module")
def metered(standin_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    standin = StandIn(standin_library, tmp_path_factory.mktemp("metered") / "control", gpu_count=4)
    for gpu in (NO_COUNTER, AVERAGE_ONLY):
        standin.gpu(gpu).counter_supported = False
        standin.square_wave(gpu, LOAD_W, 500 * MS)
    standin.gpu(AVERAGE_ONLY).unsupported_fields[0] = POWER_INSTANT
    standin.attach()
    with GpuDrivers() as drivers, Recorder() as recorder:
        meter_set = MeterSet(drivers, recorder, QuietCodeCarbon(), drivers.gpus)
        recorder.wait_past(time.monotonic_ns() + S, timeout_s=5.0)
        opened = meter_set.open()
        for gpu in (PLAIN, RESET):
            standin.load(gpu, opened.start_ns, LOAD_W)
        time.sleep(2.0)
        standin.reset_counter(RESET)
        time.sleep(max(0.0, (opened.start_ns + 5 * S - time.monotonic_ns()) / 1e9))
        yield Metered(standin, drivers, meter_set.close(opened))
    standin.close()


def test_five_seconds_into_load_are_within_the_counters_known_bias(metered: Metered) -> None:
    energy = metered.energy(PLAIN)
    assert energy.gross_j is not None
    assert (energy.source, energy.kind) == ("counter", "measured")
    assert -2.2e-2 <= energy.gross_j / metered.truth_j(PLAIN) - 1 <= 0.6e-2


@pytest.mark.parametrize("gpu", [NO_COUNTER, AVERAGE_ONLY])
def test_card_without_a_counter_is_integrated_from_its_power(metered: Metered, gpu: int) -> None:
    energy = metered.energy(gpu)
    power = "average" if gpu == AVERAGE_ONLY else "instant"
    assert (energy.source, energy.kind) == (f"power-integration-{power}", "measured")
    # The wave repeats itself with the samples (23 in two periods), and so does what they miss of its edges.
    assert energy.gross_j == pytest.approx(metered.truth_j(gpu), rel=0.05)


def test_counter_reset_on_the_real_clock_gives_no_number(metered: Metered) -> None:
    energy = metered.energy(RESET)
    assert energy.gross_j is None
    assert "backwards" in str(energy.reason)


def test_real_meters_together_agree_with_each_other_and_with_the_truth(standin: StandIn) -> None:
    """Drivers, Recorder, CodeCarbon and MeterSet in a process, three seconds of a square wave on one card."""
    standin.square_wave(1, LOAD_W, 200 * MS)
    standin.load(0, 0, 650.0)
    code = """
import json, time
from bench.meters.codecarbon import CodeCarbon
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import Recorder
from bench.meters.meter_set import MeterSet
with GpuDrivers() as drivers, Recorder() as recorder:
    gpu = drivers.find("GPU-00000000-0000-4000-8000-000000000001")
    codecarbon = CodeCarbon("DEU", [gpu.index])
    meter_set = MeterSet(drivers, recorder, codecarbon, (gpu,))
    opened = meter_set.open()
    time.sleep(3)
    window = meter_set.close(opened)
    codecarbon.close()
energy = {domain: each.model_dump() for domain, each in window.energy.items()}
print(json.dumps([window.start_ns, window.end_ns, energy, vars(window.task), meter_set.absent]))
"""
    out, err = run_python(standin, code)
    start_ns, end_ns, energy, task, absent = json.loads(out)
    assert err == ""
    ours = energy[f"gpu:{standin.gpu(1).uuid.decode()}"]
    truth_j = standin.true_energy_j(1, start_ns, end_ns)
    assert ours["gross_j"] == pytest.approx(truth_j, rel=0.035), "a tick of 100 ms at each edge"
    assert task["gpu_j"] == pytest.approx(ours["gross_j"], rel=0.12)
    assert task["duration_s"] == pytest.approx((end_ns - start_ns) / 1e9, abs=0.1)
    for domain, each in energy.items():
        assert each["kind"] == ("estimated" if domain.endswith("-estimate") else "measured")
    assert "cpu-estimate" in energy or absent == {}, "estimated exactly where RAPL cannot be read"


def test_an_absurd_instant_is_left_out_of_the_joules_of_its_window(standin: StandIn) -> None:
    """Once 2³² − 1 mW in 2 s of 140 W: 280 J, and not 300,000."""
    standin.gpu(0).counter_supported = False
    standin.gpu(0).base_w = 140.0
    standin.attach()
    with GpuDrivers() as drivers, Recorder() as recorder:
        meter_set = MeterSet(drivers, recorder, QuietCodeCarbon(), drivers.gpus[:1])
        recorder.wait_past(time.monotonic_ns() + S, timeout_s=5.0)
        opened = meter_set.open()
        standin.load(0, opened.start_ns + S, (2**32 - 1) / 1e3)
        standin.load(0, opened.start_ns + S + 100 * MS, 140.0)
        time.sleep(2.0)
        window = meter_set.close(opened)
    energy = window.energy[f"gpu:{standin.gpu(0).uuid.decode()}"]
    assert (energy.source, energy.reason) == ("power-integration-instant", None)
    assert energy.gross_j == pytest.approx(140.0 * window.seconds, rel=1e-3)


def test_power_that_cannot_be_read_for_a_second_is_said(
    meter_set: MeterSet, clocked: StandIn, recorded: Recorded
) -> None:
    clocked.gpu(0).counter_supported = False
    opened = meter_set.open()
    now_ns = time.monotonic_ns()
    recorded.write(*(fast_row(now_ns + i * MS, instant_w=70.0) for i in range(5)))
    time.sleep(1.1)
    clocked.advance_ns(5 * S)
    energy = meter_set.close(opened).energy[meter_set.domains[0]]
    assert energy.gross_j is None
    assert str(energy.reason).endswith("does not support it, and its power could not be read throughout")
