"""What the recorder makes of rows, on rows written by hand: every figure here can be worked out on paper."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bench.meters import sampling
from bench.meters.recorder import ROW
from tests.meters.helpers import MS, NAN, Recorded, S, fast_row, rapl_row, self_row


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """An empty recording that knows two RAPL domains."""
    return Recorded(tmp_path / "samples.bin", ("cpu:package-0", "dram:0"))


def test_writer_and_reader_agree_on_a_row(recorded: Recorded) -> None:
    assert sampling.ROW.size == ROW.itemsize
    recorded.write(sampling.ROW.pack(2**62, sampling.SLOW, 7, 1.5, -2.5, NAN, 4.0))
    (row,) = recorded.refresh()
    assert (int(row["t_ns"]), int(row["kind"]), int(row["index"])) == (2**62, sampling.SLOW, 7)
    np.testing.assert_array_equal(row["value"], [1.5, -2.5, NAN, 4.0])


def test_recording_without_a_file_is_empty(recorded: Recorded) -> None:
    assert len(recorded.refresh()) == 0
    assert recorded.integrate_power(0, 0, S) is None
    assert recorded.rapl_j("dram:0", 0, S) is None
    assert recorded.own_cost() == {}
    t_ns, energy_j = recorded.counter_curve(0, 0, S)
    assert len(t_ns) == len(energy_j) == 0


def test_row_that_is_half_written_waits_for_its_other_half(recorded: Recorded) -> None:
    first, second = fast_row(1, instant_w=100.0), fast_row(2, instant_w=200.0)
    recorded.write(first + second[:20])
    assert len(recorded.refresh()) == 1
    recorded.write(second[20:])
    assert recorded.fast(0, 0, 10, "power_instant_w")[1].tolist() == [100.0, 200.0]


def test_samples_of_one_card_and_one_window_are_chosen(recorded: Recorded) -> None:
    for second in range(10):
        recorded.write(
            fast_row(second * S, 0, energy_j=second), fast_row(second * S + 1, 1, energy_j=-second)
        )
    t_ns, energy_j = recorded.fast(0, 3 * S, 6 * S, "energy_j")
    assert t_ns.tolist() == [3 * S, 4 * S, 5 * S, 6 * S]
    assert energy_j.tolist() == [3, 4, 5, 6]
    assert recorded.fast(1, 3 * S, 6 * S, "energy_j")[1].tolist() == [-3, -4, -5]
    assert len(recorded.fast(2, 0, 10 * S, "energy_j")[0]) == 0
    assert len(recorded.slow(0, 0, 10 * S, "temperature_c")[0]) == 0


def test_missing_values_are_left_out_and_never_zero(recorded: Recorded) -> None:
    recorded.write(fast_row(1, instant_w=100.0), fast_row(2), fast_row(3, instant_w=300.0))
    t_ns, watts = recorded.fast(0, 0, 10, "power_instant_w")
    assert t_ns.tolist() == [1, 3]
    assert watts.tolist() == [100.0, 300.0]
    assert len(recorded.fast(0, 0, 10, "energy_j")[0]) == 0


# ---- power, integrated ---------------------------------------------------------------------------------


def test_constant_power_gives_power_times_time_edges_included(recorded: Recorded) -> None:
    """Equal samples are not dropped, and no piece before the first or after the last sample is lost."""
    recorded.write(*(fast_row(t * 50 * MS, instant_w=100.0) for t in range(1, 200)))
    assert recorded.integrate_power(0, 0, 10 * S) == pytest.approx(1000.0, rel=1e-12)
    assert recorded.integrate_power(0, 17 * MS, 9_983 * MS) == pytest.approx(996.6, rel=1e-12)


def test_each_sample_holds_until_the_next(recorded: Recorded) -> None:
    samples = [(100, 50.0), (200, 400.0), (350, 80.0), (360, 200.0)]
    recorded.write(*(fast_row(t * MS, instant_w=watts) for t, watts in samples))
    expected = 0.2 * 50.0 + 0.15 * 400.0 + 0.01 * 80.0 + 0.14 * 200.0
    assert recorded.integrate_power(0, 0, 500 * MS) == pytest.approx(expected, rel=1e-12)


def test_average_power_stands_in_where_there_is_no_instant_power(recorded: Recorded) -> None:
    recorded.write(*(fast_row(t * 50 * MS, average_w=250.0) for t in range(21)))
    assert recorded.integrate_power(0, 0, S) == pytest.approx(250.0, rel=1e-12)


def test_cards_are_integrated_each_for_itself(recorded: Recorded) -> None:
    for t in range(21):
        recorded.write(
            fast_row(t * 50 * MS, 0, instant_w=100.0), fast_row(t * 50 * MS + 1, 1, instant_w=700.0)
        )
    assert recorded.integrate_power(0, 0, S) == pytest.approx(100.0, rel=1e-6)
    assert recorded.integrate_power(1, 0, S) == pytest.approx(700.0, rel=1e-6)


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param((0.0, 0.5, 1.0, 3.5, 4.0), id="inside"),
        pytest.param((0.0, 0.5, 1.0, 1.5), id="after the last sample"),
        pytest.param((2.5, 3.0, 3.5, 4.0), id="before the first sample"),
    ],
)
def test_sample_does_not_stand_for_seconds_in_which_nothing_was_seen(
    recorded: Recorded, seconds: tuple[float, ...]
) -> None:
    """A card fell off the bus, or the sampler died: the rest of the window is unknown, not as before."""
    recorded.write(*(fast_row(round(t * S), instant_w=300.0) for t in seconds))
    assert recorded.integrate_power(0, 0, 4 * S) is None


# ---- the counter's curve -------------------------------------------------------------------------------


def test_counter_curve_has_the_points_where_the_counter_moved(recorded: Recorded) -> None:
    steps = [(0, 10.0), (50, 10.0), (100, 25.0), (150, 25.0), (200, 40.0), (250, 41.0)]
    recorded.write(*(fast_row(t * MS, energy_j=joules) for t, joules in steps))
    t_ns, energy_j = recorded.counter_curve(0, 0, 250 * MS)
    assert t_ns.tolist() == [100 * MS, 200 * MS, 250 * MS]
    assert energy_j.tolist() == [25.0, 40.0, 41.0]


def test_counter_curve_reaches_a_second_beyond_both_edges(recorded: Recorded) -> None:
    recorded.write(*(fast_row(t * 100 * MS, energy_j=30.0 * t) for t in range(100)))
    t_ns, _ = recorded.counter_curve(0, 4 * S, 5 * S)
    assert (int(t_ns[0]), int(t_ns[-1])) == (3100 * MS, 6 * S)


def test_counter_curve_leaves_out_a_reset_and_lost_samples(recorded: Recorded) -> None:
    steps = [(0, 500.0), (100, 510.0), (200, NAN), (300, 0.0), (400, 12.0)]
    recorded.write(*(fast_row(t * MS, energy_j=joules) for t, joules in steps))
    t_ns, energy_j = recorded.counter_curve(0, 0, 400 * MS)
    assert t_ns.tolist() == [100 * MS, 400 * MS]
    assert energy_j.tolist() == [510.0, 12.0]


# ---- RAPL ----------------------------------------------------------------------------------------------


def test_rapl_energy_is_interpolated_between_ticks(recorded: Recorded) -> None:
    for tick in range(41):
        recorded.write(rapl_row(tick * 50 * MS, 0, tick * 10.0), rapl_row(tick * 50 * MS + 1, 1, tick * 1.0))
    assert recorded.rapl_j("cpu:package-0", 475 * MS, 1_510 * MS) == pytest.approx(207.0, rel=1e-6)
    assert recorded.rapl_j("dram:0", 475 * MS, 1_510 * MS) == pytest.approx(20.7, rel=1e-6)


def test_rapl_energy_needs_samples_on_both_sides(recorded: Recorded) -> None:
    recorded.write(*(rapl_row(tick * 50 * MS, 0, tick * 10.0) for tick in range(21)))
    assert recorded.rapl_j("cpu:package-0", 10 * MS, 990 * MS) is not None
    assert recorded.rapl_j("cpu:package-0", 10 * MS, 1_010 * MS) is None
    assert recorded.rapl_j("cpu:package-0", -10 * MS, 990 * MS) is None
    assert recorded.rapl_j("dram:0", 10 * MS, 990 * MS) is None


def test_rapl_energy_without_readings_at_the_edge_is_none(recorded: Recorded) -> None:
    values = [float(tick) if tick < 15 else NAN for tick in range(31)]
    recorded.write(*(rapl_row(tick * 50 * MS, 0, value) for tick, value in enumerate(values)))
    assert recorded.rapl_j("cpu:package-0", 100 * MS, 600 * MS) == pytest.approx(10.0)
    assert recorded.rapl_j("cpu:package-0", 100 * MS, 1_000 * MS) is None


# ---- waiting -------------------------------------------------------------------------------------------


def test_waiting_ends_when_a_later_row_has_been_written(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "samples.bin", alive=True)
    recorded.write(fast_row(100))
    writer = threading.Timer(0.2, lambda: recorded.write(fast_row(201)))
    writer.start()
    began = time.monotonic()
    assert recorded.wait_past(200, timeout_s=10.0)
    assert 0.1 < time.monotonic() - began < 5.0
    writer.join()


def test_waiting_ends_in_time_where_nothing_comes(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "samples.bin", alive=True)
    recorded.write(fast_row(200))
    began = time.monotonic()
    assert not recorded.wait_past(200, timeout_s=0.15)
    assert 0.1 < time.monotonic() - began < 2.0


def test_waiting_for_a_dead_sampler_ends_at_once(recorded: Recorded) -> None:
    began = time.monotonic()
    assert not recorded.wait_past(200, timeout_s=30.0)
    assert time.monotonic() - began < 5.0


def test_waiting_for_one_kind_of_row_is_not_ended_by_another(tmp_path: Path) -> None:
    """The last row of a tick may be later than a moment that its RAPL row is not past."""
    recorded = Recorded(tmp_path / "samples.bin", ("cpu:package-0",), alive=True)
    recorded.write(fast_row(100), rapl_row(150, 0, 1.0), self_row(300))
    assert recorded.wait_past(200)
    assert not recorded.wait_past(200, timeout_s=0.1, kind=sampling.RAPL)
    recorded.write(fast_row(350), rapl_row(351, 0, 2.0))
    assert recorded.wait_past(200, kind=sampling.RAPL)
