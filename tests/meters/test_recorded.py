"""What the recorder makes of rows, on rows written by hand: every figure here can be worked out on paper."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bench.meters import sampling
from bench.meters.counter_checks import counter_anomaly
from bench.meters.sample_buffer import ROW
from tests.support.metering import MS, NAN, Recorded, S, fast_row, self_row, source_row


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """An empty recording that knows two RAPL domains."""
    return Recorded(tmp_path / "samples.bin", ("cpu:package-0", "dram:0"))


def test_writer_and_reader_agree_on_a_row(recorded: Recorded) -> None:
    assert sampling.ROW.size == ROW.itemsize
    recorded.write(sampling.row(2**62, sampling.SLOW, 7, 1.5, -2.5, None, 4.0))
    (row,) = recorded.rows()
    assert (int(row["t_ns"]), int(row["kind"]), int(row["index"])) == (2**62, sampling.SLOW, 7)
    np.testing.assert_array_equal(row["value"], [1.5, -2.5, NAN, 4.0, NAN])


def test_recording_without_a_file_is_empty(recorded: Recorded) -> None:
    assert len(recorded.rows()) == 0
    assert recorded.integrate_power(0, 0, S) is None
    assert recorded.joules("dram:0", 0, S) is None
    assert recorded.own_cost() == {}
    t_ns, energy_j = recorded.counter_curve(0, 0, S)
    assert len(t_ns) == len(energy_j) == 0


def test_row_that_is_half_written_waits_for_its_other_half(recorded: Recorded) -> None:
    first, second = fast_row(1, instant_w=100.0), fast_row(2, instant_w=200.0)
    recorded.write(first + second[:20])
    assert len(recorded.rows()) == 1
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


# ---- whether the counter behaved ------------------------------------------------------------------------


def count(recorded: Recorded, *joules: float, tick_s: float = 0.1) -> None:
    """A counter's samples from second 0 on, one a tick."""
    recorded.write(*(fast_row(round(i * tick_s * 1e9), energy_j=value) for i, value in enumerate(joules)))


def test_steady_counter_has_no_fault_however_slow(recorded: Recorded) -> None:
    count(recorded, *(30.0 * (tick // 7) for tick in range(200)))
    assert counter_anomaly(recorded, 0, 5 * S, 15 * S) is None


def test_counter_that_was_reset_is_at_fault_only_where_that_was(recorded: Recorded) -> None:
    """From 10 s on it counts anew and has overtaken its old value at 16 s."""
    count(recorded, *(float(tick) for tick in range(60)), *(2.0 * tick for tick in range(100)))
    assert "backwards" in str(counter_anomaly(recorded, 0, 5 * S, 15 * S))
    assert "backwards" in str(counter_anomaly(recorded, 0, 5 * S, 5 * S + 950 * MS)), (
        "seen just after the end"
    )
    assert counter_anomaly(recorded, 0, 1 * S, 5 * S) is None
    assert counter_anomaly(recorded, 0, 6 * S, 15 * S) is None


def test_counter_that_leaps_further_than_any_card_draws_is_at_fault(recorded: Recorded) -> None:
    count(recorded, *(30.0 * tick for tick in range(100)), *(1e6 + 30.0 * tick for tick in range(100)))
    assert "jumped by 9.97e+05 J" in str(counter_anomaly(recorded, 0, 5 * S, 15 * S))


@pytest.mark.parametrize("every", [1, 7])
def test_a_leap_is_judged_by_the_time_since_the_last_move(recorded: Recorded, every: int) -> None:
    """A tick of 0.1 s, and one of 0.7 s: what no card draws in either is a leap, what fills it is none."""
    steady = [200.0 * every * (tick // every) for tick in range(200)]
    count(recorded, *steady)
    assert counter_anomaly(recorded, 0, 5 * S, 15 * S) is None
    leapt = Recorded(recorded.path.with_name("leapt"), alive=True)
    count(leapt, *(value + 11_000.0 * 0.1 * (every + 1) * (tick >= 77) for tick, value in enumerate(steady)))
    assert "jumped by" in str(counter_anomaly(leapt, 0, 5 * S, 15 * S))
    assert counter_anomaly(leapt, 0, 8 * S, 15 * S) is None


def test_seconds_unseen_are_no_leap(recorded: Recorded) -> None:
    times = [*range(50), *range(150, 200)]
    recorded.write(*(fast_row(t * 100 * MS, energy_j=70.0 * t) for t in times))
    assert counter_anomaly(recorded, 0, 1 * S, 19 * S) is None


@pytest.mark.parametrize(("still", "fault"), [(10, False), (13, True)])
def test_counter_that_stands_still_for_longer_than_a_second_is_at_fault(
    recorded: Recorded, still: int, fault: bool
) -> None:
    moving = [30.0 * tick for tick in range(100)]
    count(
        recorded, *moving, *[moving[-1]] * (still - 1), *(moving[-1] + 30.0 * tick for tick in range(1, 50))
    )
    found = counter_anomaly(recorded, 0, 5 * S, 14 * S)
    assert (found is not None) == fault
    assert not fault or "stalled for 1.2 s, and moves every 100 ms otherwise" in str(found)


def test_counter_that_stands_still_to_the_end_is_at_fault_as_far_as_the_window_goes(
    recorded: Recorded,
) -> None:
    count(recorded, *(30.0 * min(tick, 100) for tick in range(150)))
    assert "stalled for 1.5 s" in str(counter_anomaly(recorded, 0, 5 * S, 11_500 * MS))
    assert counter_anomaly(recorded, 0, 5 * S, 10_900 * MS) is None


def test_counter_that_stood_still_since_before_the_window_is_at_fault(recorded: Recorded) -> None:
    """It stands still from 15 to 31 s: none of its samples before the window moves."""
    busy = [40.0 * (tick - 310) for tick in range(310, 640)]
    count(recorded, *(11.0 * tick - 11.0 * 150 for tick in range(150)), *[0.0] * 160, *busy)
    assert "stalled for 2.0 s" in str(counter_anomaly(recorded, 0, 29 * S, 60 * S))
    assert counter_anomaly(recorded, 0, 32 * S, 60 * S) is None


def test_nothing_speaks_against_a_counter_that_nobody_saw(recorded: Recorded) -> None:
    assert counter_anomaly(recorded, 0, 0, 10 * S) is None


def test_rows_are_kept_whole_however_many_and_what_they_show_is_remembered(recorded: Recorded) -> None:
    for part in range(0, 12_000, 1_500):
        rows = [fast_row(t * MS, energy_j=float(t)) for t in range(part, part + 1_500)]
        recorded.write(*rows, fast_row((part + 1_500) * MS - 1, index=1), self_row((part + 1_500) * MS))
        assert len(recorded.rows()) == (part // 1_500 + 1) * 1_502
    t_ns, energy_j = recorded.fast(0, 0, 20 * S, "energy_j")
    assert t_ns.tolist() == [t * MS for t in range(12_000)]
    assert energy_j.tolist() == [float(t) for t in range(12_000)]
    assert (recorded.has_counted(0), recorded.has_counted(1)) == (True, False)
    assert recorded.own_cost()["cpu_share"] == 0.0, "the same seconds of CPU 10.5 s apart"


# ---- gaps ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window_s", "gap_s"),
    [((1, 3), 0.5), ((1, 7), 3.0), ((4, 5), 3.0), ((8, 12), 3.0), ((10, 14), 5.0), ((-2, 1), 2.0)],
    ids=["none", "inside", "around", "to the end", "nothing since", "before the first"],
)
def test_longest_gap_reaches_to_the_windows_edges_where_no_row_is_beyond(
    recorded: Recorded, window_s: tuple[int, int], gap_s: float
) -> None:
    """Rows every half second, none between 3 and 6 s, the last one at 9 s."""
    recorded.write(*(self_row(t * 500 * MS) for t in range(19) if t <= 6 or t >= 12))
    assert recorded.longest_gap_s(window_s[0] * S, window_s[1] * S) == pytest.approx(gap_s)


# ---- RAPL ----------------------------------------------------------------------------------------------


def test_rapl_energy_is_interpolated_between_ticks(recorded: Recorded) -> None:
    for tick in range(41):
        recorded.write(
            source_row(tick * 50 * MS, 0, tick * 10.0), source_row(tick * 50 * MS + 1, 1, tick * 1.0)
        )
    assert recorded.joules("cpu:package-0", 475 * MS, 1_510 * MS) == pytest.approx(207.0, rel=1e-6)
    assert recorded.joules("dram:0", 475 * MS, 1_510 * MS) == pytest.approx(20.7, rel=1e-6)


def test_rapl_energy_needs_samples_on_both_sides(recorded: Recorded) -> None:
    recorded.write(*(source_row(tick * 50 * MS, 0, tick * 10.0) for tick in range(21)))
    assert recorded.joules("cpu:package-0", 10 * MS, 990 * MS) is not None
    assert recorded.joules("cpu:package-0", 10 * MS, 1_010 * MS) is None
    assert recorded.joules("cpu:package-0", -10 * MS, 990 * MS) is None
    assert recorded.joules("dram:0", 10 * MS, 990 * MS) is None


def test_rapl_energy_without_readings_at_the_edge_is_none(recorded: Recorded) -> None:
    values = [float(tick) if tick < 15 else NAN for tick in range(31)]
    recorded.write(*(source_row(tick * 50 * MS, 0, value) for tick, value in enumerate(values)))
    assert recorded.joules("cpu:package-0", 100 * MS, 600 * MS) == pytest.approx(10.0)
    assert recorded.joules("cpu:package-0", 100 * MS, 1_000 * MS) is None


def test_rapl_counter_that_was_reset_or_went_unseen_gives_no_number(recorded: Recorded) -> None:
    for tick in (*range(600), *range(800, 1200)):
        t_ns, seconds = tick * 100 * MS, tick / 10
        recorded.write(source_row(t_ns, 0, 10.0 * seconds), source_row(t_ns, 1, 10.0 * (seconds % 45)))
    assert recorded.joules("cpu:package-0", 10 * S, 50 * S) == pytest.approx(400.0)
    assert recorded.joules("cpu:package-0", 10 * S, 100 * S) is None, "it may have wrapped twice meanwhile"
    assert recorded.joules("dram:0", 10 * S, 40 * S) == pytest.approx(300.0)
    assert recorded.joules("dram:0", 10 * S, 55 * S) is None, "reset at 45 s"


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
    recorded.write(fast_row(100), source_row(150, 0, 1.0), self_row(300))
    assert recorded.wait_past(200)
    assert not recorded.wait_past(200, timeout_s=0.1, kind=sampling.SOURCE)
    recorded.write(fast_row(350), source_row(351, 0, 2.0))
    assert recorded.wait_past(200, kind=sampling.SOURCE)
