"""The connection to the driver: which cards there are, and what they answer, in watts, joules and words."""

from __future__ import annotations

import pynvml
import pytest

from bench.errors import MeterError
from bench.meters.gpus import GpuDrivers
from bench.meters.nvml_library import ENERGY, POWER_AVERAGE, POWER_INSTANT, REASONS, reason_of
from tests.standin import NEVER, Family, StandIn
from tests.support.metering import MS, S

UUIDS = [f"GPU-00000000-0000-4000-8000-00000000000{i}" for i in range(2)]

ERROR_CODES = sorted(
    {value for name, value in vars(pynvml).items() if name.startswith("NVML_ERROR_") and value != 0}
)


def hide_fields(standin: StandIn, gpu: int, *fields: int) -> None:
    for slot, field in enumerate(fields):
        standin.gpu(gpu).unsupported_fields[slot] = field


# ---- which cards there are -----------------------------------------------------------------------------


def test_without_a_driver_there_are_no_gpus_and_a_reason(standin: StandIn) -> None:
    standin.attach()
    standin.detach()
    with GpuDrivers() as drivers:
        assert drivers.gpus == ()
        assert drivers.absent == "the NVIDIA driver is not loaded"
        with pytest.raises(MeterError, match="the NVIDIA driver is not loaded"):
            drivers.find("0")


@pytest.mark.parametrize(
    "code",
    [
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_NO_PERMISSION,
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
    ],
)
def test_connection_that_fails_says_why(clocked: StandIn, code: int) -> None:
    clocked.fail(Family.INIT, code)
    drivers = GpuDrivers()
    assert drivers.gpus == ()
    assert drivers.absent == reason_of(pynvml.NVMLError(code))
    drivers.close()


def test_driver_that_cannot_count_its_cards_says_why(clocked: StandIn) -> None:
    clocked.fail(Family.HANDLE, pynvml.NVML_ERROR_UNKNOWN)
    with GpuDrivers() as drivers:
        assert drivers.gpus == ()
        assert drivers.absent == REASONS[pynvml.NVML_ERROR_UNKNOWN]


def test_driver_without_cards_is_no_error(clocked: StandIn) -> None:
    clocked.control.gpu_count = 0
    with GpuDrivers() as drivers:
        assert drivers.gpus == ()
        assert drivers.absent == "the driver reports no GPU"


def test_lost_card_leaves_the_other_and_is_named(clocked: StandIn) -> None:
    clocked.lose(0)
    with GpuDrivers() as drivers:
        assert [gpu.index for gpu in drivers.gpus] == [1]
        assert drivers.lost == {"0": "the GPU is lost (fallen off the bus)"}
        assert drivers.absent is None
        assert drivers.find("1").uuid == UUIDS[1]
        with pytest.raises(MeterError, match="fallen off the bus"):
            drivers.find("0")


def test_machine_whose_cards_are_all_lost_has_none_and_the_reason(clocked: StandIn) -> None:
    clocked.lose(0)
    clocked.lose(1)
    with GpuDrivers() as drivers:
        assert drivers.gpus == ()
        assert drivers.absent == "the GPU is lost (fallen off the bus)"


def test_cards_keep_nvml_order_whatever_their_uuids(clocked: StandIn) -> None:
    clocked.gpu(0).uuid, clocked.gpu(1).uuid = b"GPU-ffff", b"GPU-aaaa"
    clocked.load(0, 0, 100.0)
    clocked.load(1, 0, 500.0)
    clocked.advance_ns(S)
    with GpuDrivers() as drivers:
        assert [(gpu.index, gpu.uuid) for gpu in drivers.gpus] == [(0, "GPU-ffff"), (1, "GPU-aaaa")]
        assert drivers.find("GPU-aaaa").sample().energy_j == drivers.find("1").sample().energy_j == 500.0
        assert drivers.find("GPU-ffff").sample().energy_j == 100.0
        assert drivers.find("GPU-aaaa").domain == "gpu:GPU-aaaa"


# ---- finding one ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["1", UUIDS[1], UUIDS[1].upper(), UUIDS[1].lower()])
def test_card_is_found_by_index_and_by_uuid(drivers: GpuDrivers, wanted: str) -> None:
    assert drivers.find(wanted).index == 1


def test_card_is_found_by_the_beginning_of_its_uuid(clocked: StandIn) -> None:
    clocked.gpu(0).uuid, clocked.gpu(1).uuid = b"GPU-4e817856-1fb8", b"GPU-4e99aaaa-77c1"
    with GpuDrivers() as drivers:
        assert drivers.find("GPU-4e8").index == 0
        assert drivers.find("gpu-4E9").index == 1
        with pytest.raises(MeterError, match="matches several GPUs") as raised:
            drivers.find("GPU-4e")
        assert "0 (GPU-4e817856-1fb8)" in str(raised.value)
        assert "1 (GPU-4e99aaaa-77c1)" in str(raised.value)


@pytest.mark.parametrize("wanted", ["2", "-1", "GPU-unknown", "MIG-00000000", "²", "", " "])
def test_unknown_card_is_refused_with_the_known_ones(drivers: GpuDrivers, wanted: str) -> None:
    with pytest.raises(MeterError, match="is no GPU of this machine") as raised:
        drivers.find(wanted)
    assert f'"{wanted}"' in raised.value.message
    assert raised.value.remedy == f"Known: 0 ({UUIDS[0]}), 1 ({UUIDS[1]})."


def test_empty_name_is_no_card_even_where_there_is_only_one(clocked: StandIn) -> None:
    clocked.control.gpu_count = 1
    with GpuDrivers() as drivers, pytest.raises(MeterError, match="is no GPU of this machine"):
        drivers.find("")


# ---- samples -------------------------------------------------------------------------------------------


def test_sample_is_in_joules_and_watts(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.load(0, 0, 300.0)
    clocked.load(0, 10 * S, 100.0)
    clocked.advance_ns(10 * S + 200 * MS)
    sample = drivers.gpus[0].sample()
    assert sample.energy_j == 10 * 300.0 + 0.2 * 100.0
    assert sample.power_instant_w == 100.0
    assert sample.power_average_w == pytest.approx(0.8 * 300.0 + 0.2 * 100.0)
    assert sample.reason is None


def test_sample_keeps_thousandths(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.load(0, -10 * S, 123.456)
    clocked.advance_ns(S)
    sample = drivers.gpus[0].sample()
    assert (sample.energy_j, sample.power_instant_w, sample.power_average_w) == (123.456, 123.456, 123.456)


def test_sample_is_one_call_to_the_driver(drivers: GpuDrivers, clocked: StandIn) -> None:
    calls = {family: clocked.calls(family) for family in Family}
    drivers.gpus[0].sample()
    assert clocked.calls(Family.FIELDS) == calls[Family.FIELDS] + 1
    assert clocked.calls(Family.ENERGY) == calls[Family.ENERGY] + 1, "the field, not the call of its own"


def test_card_without_the_counter_field_is_asked_by_the_own_call(
    drivers: GpuDrivers, clocked: StandIn
) -> None:
    hide_fields(clocked, 0, ENERGY)
    clocked.load(0, 0, 300.0)
    clocked.advance_ns(2 * S)
    sample = drivers.gpus[0].sample()
    assert sample.energy_j == 600.0
    assert (sample.power_instant_w, sample.power_average_w) == (300.0, 300.0)
    assert sample.reason is None
    assert drivers.gpus[0].read().energy_j == 600.0


def test_card_that_knows_no_field_is_asked_by_the_own_calls(drivers: GpuDrivers, clocked: StandIn) -> None:
    hide_fields(clocked, 0, ENERGY, POWER_INSTANT, POWER_AVERAGE)
    clocked.load(0, 0, 300.0)
    clocked.advance_ns(2 * S)
    sample = drivers.gpus[0].sample()
    assert (sample.energy_j, sample.power_instant_w, sample.power_average_w) == (600.0, None, 300.0)


@pytest.mark.parametrize("code", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND])
def test_driver_without_field_values_is_asked_by_the_own_calls(
    drivers: GpuDrivers, clocked: StandIn, code: int
) -> None:
    clocked.fail(Family.FIELDS, code)
    clocked.load(0, 0, 300.0)
    clocked.advance_ns(2 * S)
    sample = drivers.gpus[0].sample()
    assert (sample.energy_j, sample.power_average_w, sample.reason) == (600.0, 300.0, None)


def test_card_without_any_counter_has_no_energy_but_a_reason(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.gpu(0).counter_supported = False
    clocked.load(0, 0, 300.0)
    clocked.advance_ns(2 * S)
    sample = drivers.gpus[0].sample()
    assert sample.energy_j is None
    assert sample.reason == "this GPU or driver does not support it"
    assert (sample.power_instant_w, sample.power_average_w) == (300.0, 300.0)
    reading = drivers.gpus[0].read()
    assert (reading.energy_j, reading.reason) == (None, sample.reason)


@pytest.mark.parametrize("absurd_w", [(2**32 - 1) / 1e3, 10_001.0])
def test_a_power_that_no_card_can_draw_is_no_reading(
    drivers: GpuDrivers, clocked: StandIn, absurd_w: float
) -> None:
    clocked.gpu(0).counter_supported = False
    clocked.load(0, 0, absurd_w)
    clocked.advance_ns(2 * S)
    sample = drivers.gpus[0].sample()
    assert (sample.power_instant_w, sample.power_average_w) == (None, None)


def test_card_without_instant_power_keeps_its_average(drivers: GpuDrivers, clocked: StandIn) -> None:
    hide_fields(clocked, 0, POWER_INSTANT)
    clocked.load(0, 0, 300.0)
    clocked.advance_ns(2 * S)
    sample = drivers.gpus[0].sample()
    assert (sample.energy_j, sample.power_instant_w, sample.power_average_w) == (600.0, None, 300.0)


def test_lost_card_gives_no_figure_and_the_other_goes_on(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.advance_ns(S)
    clocked.lose(0)
    lost, other = (gpu.sample() for gpu in drivers.gpus)
    assert (lost.energy_j, lost.power_instant_w, lost.power_average_w) == (None, None, None)
    assert lost.reason == "the GPU is lost (fallen off the bus)"
    assert other.energy_j == 70.0
    clocked.gpu(0).lost_ns = NEVER
    assert drivers.gpus[0].sample().energy_j == 70.0


# ---- errors as words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_mapped_error_of_the_counter_becomes_its_words(
    drivers: GpuDrivers, clocked: StandIn, code: int
) -> None:
    clocked.fail(Family.ENERGY, code)
    sample = drivers.gpus[0].sample()
    assert sample.energy_j is None
    assert sample.reason == REASONS[code]


@pytest.mark.parametrize("code", [*ERROR_CODES, 4242])
def test_every_error_is_words_and_unmapped_ones_keep_their_number(clocked: StandIn, code: int) -> None:
    words = reason_of(pynvml.NVMLError(code))
    assert words == REASONS[code] if code in REASONS else words.startswith(f"NVML error {code} (")


def test_no_two_errors_share_their_words() -> None:
    assert len(set(REASONS.values())) == len(REASONS)


# ---- the end -------------------------------------------------------------------------------------------


def test_closing_twice_is_harmless_and_ends_the_connection(clocked: StandIn) -> None:
    drivers = GpuDrivers()
    gpu = drivers.gpus[0]
    drivers.close()
    drivers.close()
    assert drivers.gpus == ()
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        pynvml.nvmlDeviceGetCount()
    sample = gpu.sample()
    assert (sample.energy_j, sample.reason) == (None, "the connection to the driver was closed")


def test_closing_one_connection_leaves_another_open(clocked: StandIn) -> None:
    first, second = GpuDrivers(), GpuDrivers()
    first.close()
    first.close()
    assert second.gpus[0].sample().energy_j == 0.0
    second.close()


def test_closing_a_connection_without_cards_ends_it_too(clocked: StandIn) -> None:
    clocked.lose(0)
    clocked.lose(1)
    GpuDrivers().close()
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        pynvml.nvmlDeviceGetCount()
