"""CPU and memory energy from powercap files, on made-up machines."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from bench.meters.sources.rapl import Rapl
from bench.meters.window_meters import unread
from tests.meters.powercap import add_zone, deny
from tests.standin import StandIn
from tests.support.metering import Recorded
from tests.support.processes import run_python


def joules(rapl: Rapl) -> dict[str, float | None]:
    return {domain: reading.energy_j for domain, reading in rapl.read().items()}


def test_machine_without_powercap_has_no_domains_and_a_reason(tmp_path: Path) -> None:
    rapl = Rapl(tmp_path / "powercap")
    assert rapl.domains == ()
    assert rapl.read() == {}
    assert "no RAPL" in rapl.absent["cpu"]


def test_powercap_without_rapl_is_no_rapl_either(tmp_path: Path) -> None:
    add_zone(tmp_path, "dtpm:0", "pkg", 1)
    rapl = Rapl(tmp_path)
    assert rapl.domains == ()
    assert "no RAPL" in rapl.absent["cpu"]


def test_packages_and_memory_are_read_and_nothing_that_they_contain(tmp_path: Path) -> None:
    """psys contains all, core and uncore are contained, mmio shows the package a second time."""
    package0 = add_zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    package1 = add_zone(tmp_path, "intel-rapl:1", "package-1", 7_000_000)
    dram0 = add_zone(tmp_path, "intel-rapl:0:2", "dram", 3_000_000)
    dram1 = add_zone(tmp_path, "intel-rapl:1:2", "dram", 4_000_000)
    add_zone(tmp_path, "intel-rapl:0:0", "core", 500_000)
    add_zone(tmp_path, "intel-rapl:0:1", "uncore", 600_000)
    add_zone(tmp_path, "intel-rapl:2", "psys", 99_000_000)
    add_zone(tmp_path, "intel-rapl-mmio:0", "package-0", 1_000_001)
    rapl = Rapl(tmp_path)
    assert set(rapl.domains) == {"cpu:package-0", "cpu:package-1", "dram:0", "dram:1"}
    assert rapl.absent == {}
    assert set(joules(rapl).values()) == {0.0}, "energy counts from when the meter was made"
    package0.write_text("51000000\n")
    package1.write_text("8500000\n")
    dram0.write_text("3250000\n")
    dram1.write_text("4125000\n")
    assert joules(rapl) == {"cpu:package-0": 50.0, "cpu:package-1": 1.5, "dram:0": 0.25, "dram:1": 0.125}


def test_package_of_several_dies_is_read_die_by_die(tmp_path: Path) -> None:
    counters = [add_zone(tmp_path, f"intel-rapl:{i}", f"package-0-die-{i}", 1000 + i) for i in range(2)]
    rapl = Rapl(tmp_path)
    assert rapl.domains == ("cpu:package-0-die-0", "cpu:package-0-die-1")
    for i, counter in enumerate(counters):
        counter.write_text(str(1000 + i + 2_000_000 * (i + 1)))
    assert joules(rapl) == {"cpu:package-0-die-0": 2.0, "cpu:package-0-die-1": 4.0}


def test_machine_that_shows_only_other_zones_says_so(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "psys", 1_000_000)
    rapl = Rapl(tmp_path)
    assert rapl.domains == ()
    assert "psys" in rapl.absent["cpu"]


def test_wraps_add_up(tmp_path: Path) -> None:
    counter = add_zone(tmp_path, "intel-rapl:0", "package-0", 900_000, wraps_at_uj=1_000_000)
    rapl = Rapl(tmp_path)
    seen = []
    for now_uj in (950_000, 50_000, 600_000, 100_000, 99_999):
        counter.write_text(str(now_uj))
        seen.append(joules(rapl)["cpu:package-0"])
    assert seen == pytest.approx([0.05, 0.15, 0.7, 1.2, 2.199999])


@pytest.mark.parametrize("range_uj", [0, -1, 900_000])
def test_range_that_cannot_hold_the_counter_is_absent_with_both(tmp_path: Path, range_uj: int) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 900_001, wraps_at_uj=range_uj)
    rapl = Rapl(tmp_path)
    assert rapl.domains == ()
    assert rapl.absent["cpu:package-0"] == f"RAPL reads 900001 µJ, beyond its range of {range_uj} µJ"


def test_range_that_is_missing_is_absent_with_a_reason(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1)
    (tmp_path / "intel-rapl:0" / "max_energy_range_uj").unlink()
    assert "max_energy_range_uj" in Rapl(tmp_path).absent["cpu:package-0"]


@pytest.mark.parametrize("now_uj", [0, 200_000_000_000], ids=["reset", "leap"])
def test_move_that_cannot_be_true_begins_anew_from_below(tmp_path: Path, now_uj: int) -> None:
    """A reset is no wrap where a wrap would mean 157 kJ at once; readers see the total go backwards."""
    counter = add_zone(tmp_path, "intel-rapl:0", "package-0", 100_000_000_000)
    rapl = Rapl(tmp_path)
    seen = []
    for value in (100_005_000_000, now_uj, now_uj + 2_000_000):
        counter.write_text(str(value))
        seen.append(joules(rapl)["cpu:package-0"])
    assert seen == [5.0, -1.0, 1.0]


def test_leap_and_return_before_anything_was_counted_is_seen(tmp_path: Path) -> None:
    """Else the joules of both steps would be missing from a figure that looks good: 183 J for 200."""
    counter = add_zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    rapl = Rapl(tmp_path)
    seen = []
    for value in (90_000_000_000, 18_000_000, 27_000_000):
        counter.write_text(str(value))
        seen.append(joules(rapl)["cpu:package-0"])
    assert seen == [-1.0, -2.0, 7.0]


def test_stamps_rise_from_reading_to_reading(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1)
    rapl = Rapl(tmp_path)
    first, second = (rapl.read()["cpu:package-0"].t_ns for _ in range(2))
    assert 0 < first < second


def test_files_only_root_may_read_are_absent_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = add_zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    add_zone(tmp_path, "intel-rapl:0:0", "dram", 2_000_000)
    deny(monkeypatch, package)
    rapl = Rapl(tmp_path)
    assert rapl.domains == ("dram:0",)
    assert set(rapl.absent) == {"cpu:package-0"}
    assert "only root may read" in rapl.absent["cpu:package-0"]
    assert "chmod a+r" in rapl.absent["cpu:package-0"]


def test_packages_that_mirror_each_other_count_once(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    add_zone(tmp_path, "intel-rapl:1", "package-1", 5_000_000)
    rapl = Rapl(tmp_path)
    assert rapl.domains == ("cpu:package-0",)
    assert rapl.absent == {"cpu:package-1": "mirrors cpu:package-0"}


def test_mirrored_packages_count_once_while_their_counter_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two reads of one register it moves on: the mirror must be seen nevertheless."""
    counters = [add_zone(tmp_path, f"intel-rapl:{i}", f"package-{i}", 0) for i in range(2)]
    read_text, register_uj = Path.read_text, itertools.count(5_000_000, 61)

    def read_register(path: Path, *args: Any, **kwargs: Any) -> str:
        return str(next(register_uj)) if path in counters else read_text(path, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", read_register)
    rapl = Rapl(tmp_path)
    assert rapl.domains == ("cpu:package-0",)
    assert rapl.absent == {"cpu:package-1": "mirrors cpu:package-0"}


def test_packages_whose_counters_are_close_are_two(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    add_zone(tmp_path, "intel-rapl:1", "package-1", 5_000_061)
    assert len(Rapl(tmp_path).domains) == 2


def test_counters_that_both_stand_at_zero_are_no_mirrors(tmp_path: Path) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    add_zone(tmp_path, "intel-rapl:1", "package-1", 0)
    assert len(Rapl(tmp_path).domains) == 2


@pytest.mark.parametrize("value", ["", "garbage", "0x12", "12.5"])
def test_value_that_is_no_number_is_absent_with_a_reason(tmp_path: Path, value: str) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", value)
    rapl = Rapl(tmp_path)
    assert rapl.domains == ()
    assert rapl.absent["cpu:package-0"].startswith("RAPL answers with an error")


@pytest.mark.parametrize("broken", ["intel-rapl:1", "intel-rapl:1:0"])
def test_zone_without_a_name_may_be_a_part_of_what_is_read(tmp_path: Path, broken: str) -> None:
    add_zone(tmp_path, "intel-rapl:0", "package-0", 1)
    add_zone(tmp_path, "intel-rapl:0:0", "dram", 7)
    (tmp_path / broken).mkdir()
    rapl = Rapl(tmp_path)
    whole, part = ("dram:0", "cpu:package-0") if broken.count(":") == 1 else ("cpu:package-0", "dram:0")
    assert rapl.domains == (whole,)
    assert rapl.absent[broken].startswith("RAPL answers with an error")
    assert rapl.absent[part] == f"readable, but only a part: {broken} cannot be read"


@pytest.mark.parametrize("lacks", ["permission", "number", "range"])
@pytest.mark.parametrize("family", ["cpu", "dram"])
def test_a_part_is_not_taken_for_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, lacks: str
) -> None:
    """Two packages with memory of their own; one counter of four cannot be read."""
    folders = {"cpu": "intel-rapl:{}", "dram": "intel-rapl:{}:0"}
    names = {"cpu": "package-{}", "dram": "dram"}
    counters = {
        (each, i): add_zone(tmp_path, folders[each].format(i), names[each].format(i), 10_000 * (i + 1) + j)
        for j, each in enumerate(folders)
        for i in range(2)
    }
    bad = counters[family, 1]
    if lacks == "permission":
        deny(monkeypatch, bad)
    elif lacks == "number":
        bad.write_text("")
    else:
        (bad.parent / "max_energy_range_uj").write_text("0")
    rapl = Rapl(tmp_path)
    domains = {"cpu": ("cpu:package-0", "cpu:package-1"), "dram": ("dram:0", "dram:1")}
    read, unread_one = domains["dram" if family == "cpu" else "cpu"], domains[family]
    assert rapl.domains == read
    assert set(rapl.absent) == set(unread_one)
    assert rapl.absent[unread_one[0]] == f"readable, but only a part: {unread_one[1]} cannot be read"
    assert unread(rapl.domains) == (("cpu-estimate",) if family == "cpu" else ("ram-estimate",))


def test_zone_that_becomes_unreadable_gives_a_reason_and_loses_nothing_when_it_returns(
    tmp_path: Path,
) -> None:
    counter = add_zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    rapl = Rapl(tmp_path)
    counter.write_text("3000000")
    assert joules(rapl) == {"cpu:package-0": 2.0}
    counter.unlink()
    reading = rapl.read()["cpu:package-0"]
    assert reading.energy_j is None
    assert str(reading.reason).startswith("RAPL answers with an error")
    counter.write_text("nonsense")
    assert joules(rapl) == {"cpu:package-0": None}
    counter.write_text("4500000")
    assert joules(rapl) == {"cpu:package-0": 3.5}


def test_sampler_writes_every_domain_in_its_order(standin: StandIn, tmp_path: Path) -> None:
    """The whole way: powercap files that run at 100 W and 20 W, the sampler, and the reader of its rows."""
    root, path = tmp_path / "powercap", tmp_path / "samples.bin"
    add_zone(root, "intel-rapl:0", "package-0", 1)
    add_zone(root, "intel-rapl:0:0", "dram", 2)
    code = f"""
import json, multiprocessing, os, threading, time
from pathlib import Path
from bench.meters import sampling
from bench.meters.sources.rapl import Rapl
from bench.meters.window_meters import unread

root, path = Path({str(root)!r}), Path({str(path)!r})
Rapl.__init__.__defaults__ = (root,)
ours, theirs = multiprocessing.Pipe()
ended = threading.Event()

def run_on():
    begun = time.monotonic()
    while not ended.is_set():
        for zone, watts, origin_uj in (("intel-rapl:0", 100, 3), ("intel-rapl:0:0", 20, 5_000_003)):
            fresh = root / "fresh"
            fresh.write_text(str(origin_uj + int((time.monotonic() - begun) * watts * 1e6)))
            os.replace(fresh, root / zone / "energy_uj")
        time.sleep(0.001)

def watch():
    greeting = ours.recv()
    time.sleep(0.3)
    begin = time.monotonic_ns()
    time.sleep(0.7)
    end = time.monotonic_ns()
    time.sleep(0.2)
    ours.send("stop")
    ended.set()
    print(json.dumps([greeting, begin, end], default=lambda prior: prior.model_dump()))

threads = [threading.Thread(target=work) for work in (run_on, watch)]
for thread in threads:
    thread.start()
sampling.main(path, theirs, os.getppid())
for thread in threads:
    thread.join()
"""
    out, _ = run_python(standin, code)
    greeting, begin_ns, end_ns = json.loads(out)
    assert list(greeting["domains"]) == ["cpu:package-0", "dram:0"]
    assert {facts[0] for facts in greeting["domains"].values()} == {"rapl"}
    assert greeting["absent"] == {}
    recorded = Recorded(path, tuple(greeting["domains"]))
    seconds = (end_ns - begin_ns) / 1e9
    # A thread writes the counters: on a busy machine it is held up for tens of milliseconds.
    assert recorded.joules("cpu:package-0", begin_ns, end_ns) == pytest.approx(100 * seconds, rel=0.2)
    assert recorded.joules("dram:0", begin_ns, end_ns) == pytest.approx(20 * seconds, rel=0.2)
