"""The state of a card: what it cannot say is null, with a reason where the record keeps one."""

from __future__ import annotations

import pynvml
import pytest

from bench.meters.gpus import GpuDrivers, nvml
from tests.standin import Family, StandIn

UNSUPPORTED = "this GPU or driver does not support it"
GIB = 2**30


def test_identity_is_in_bytes_watts_and_megahertz(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.gpu(1).power_limit_mw = 450_500
    assert drivers.gpus[1].identity().as_mapping() == {
        "index": 1,
        "uuid": "GPU-00000000-0000-4000-8000-000000000001",
        "name": "NVIDIA H200 stand-in",
        "memory_bytes": 141 * GIB,
        "power_limit_w": 450.5,
        "power_limit_default_w": 700.0,
        "max_sm_clock_mhz": 1980,
        "mig": False,
        "persistence_mode": True,
    }


def test_identity_says_when_mig_is_on(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.gpu(0).mig_mode = 1
    assert drivers.gpus[0].identity().mig is True


@pytest.mark.parametrize(
    ("family", "keys"),
    [
        (Family.MEMORY, {"memory_bytes"}),
        (Family.LIMITS, {"power_limit_w", "power_limit_default_w"}),
        (Family.CLOCKS, {"max_sm_clock_mhz"}),
        (Family.MIG, {"mig"}),
    ],
)
def test_identity_keeps_a_reason_for_what_a_card_does_not_say(
    drivers: GpuDrivers, clocked: StandIn, family: Family, keys: set[str]
) -> None:
    clocked.fail(family, pynvml.NVML_ERROR_NOT_SUPPORTED)
    found = drivers.gpus[0].identity()
    assert found.absent == dict.fromkeys(keys, UNSUPPORTED)
    assert {key for key, value in found.as_mapping().items() if value is None} == keys


def test_identity_of_a_card_without_mig_says_that_it_has_none(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.gpu(0).mig_mode = -1
    found = drivers.gpus[0].identity()
    assert found.mig is None
    assert found.absent == {"mig": UNSUPPORTED}


def test_identity_of_a_lost_card_keeps_its_name_and_says_why_the_rest_is_missing(
    drivers: GpuDrivers, clocked: StandIn
) -> None:
    clocked.lose(0)
    found = drivers.gpus[0].identity()
    assert found.name == "NVIDIA H200 stand-in"
    assert set(found.absent) == set(found.as_mapping()) - {"index", "uuid", "name", "absent"}
    assert set(found.absent.values()) == {"the GPU is lost (fallen off the bus)"}


def test_driver_versions_are_text(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.control.cuda_version = 12040
    assert nvml.versions() == ("580.95.05", "12.4", {})


def test_driver_versions_that_cannot_be_read_have_a_reason_each(
    drivers: GpuDrivers, clocked: StandIn
) -> None:
    clocked.fail(Family.INFO, pynvml.NVML_ERROR_NO_PERMISSION)
    reason = "this user may not read it"
    assert nvml.versions() == (None, None, {"driver": reason, "cuda_driver": reason})
    clocked.fail(Family.INFO, pynvml.NVML_ERROR_NO_PERMISSION, after=1)
    assert nvml.versions() == ("580.95.05", None, {"cuda_driver": reason})


def test_driver_versions_after_the_end_are_absent(clocked: StandIn) -> None:
    GpuDrivers().close()
    assert nvml.versions().driver is None
    assert nvml.versions().absent["driver"] == "the connection to the driver was closed"


def test_free_memory_is_what_is_left(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.gpu(0).memory_used_bytes = 40 * GIB
    assert drivers.gpus[0].memory_free_bytes() == 101 * GIB - 600 * 2**20
    clocked.fail(Family.MEMORY, pynvml.NVML_ERROR_UNKNOWN)
    assert drivers.gpus[0].memory_free_bytes() is None


def test_snapshot_is_the_state_now(drivers: GpuDrivers, clocked: StandIn) -> None:
    gpu = clocked.gpu(0)
    gpu.temperature_c, gpu.sm_clock_mhz, gpu.memory_clock_mhz = 71, 1410, 1215
    gpu.reasons, gpu.utilisation_percent = 0x44, 93
    assert drivers.gpus[0].snapshot().as_mapping() == {
        "temperature_c": 71,
        "sm_clock_mhz": 1410,
        "memory_clock_mhz": 1215,
        "throttle_mask": 0x44,
        "utilisation_percent": 93,
    }


def test_snapshot_of_an_idle_card_has_zeros_that_are_readings(drivers: GpuDrivers) -> None:
    found = drivers.gpus[0].snapshot()
    assert (found.utilisation_percent, found.throttle_mask) == (0, 0)


@pytest.mark.parametrize(
    ("family", "keys"),
    [
        (Family.TEMPERATURE, {"temperature_c"}),
        (Family.CLOCKS, {"sm_clock_mhz", "memory_clock_mhz"}),
        (Family.REASONS, {"throttle_mask"}),
        (Family.UTILISATION, {"utilisation_percent"}),
    ],
)
def test_snapshot_has_null_for_what_a_card_does_not_say(
    drivers: GpuDrivers, clocked: StandIn, family: Family, keys: set[str]
) -> None:
    clocked.fail(family, pynvml.NVML_ERROR_NOT_SUPPORTED)
    found = drivers.gpus[0].snapshot()
    assert {key for key, value in found.as_mapping().items() if value is None} == keys


def test_snapshot_of_a_lost_card_is_all_null(drivers: GpuDrivers, clocked: StandIn) -> None:
    clocked.lose(0)
    assert set(drivers.gpus[0].snapshot().as_mapping().values()) == {None}
    assert None not in drivers.gpus[1].snapshot().as_mapping().values()


def test_a_driver_too_old_for_the_process_list_says_so_in_words(
    drivers: GpuDrivers, clocked: StandIn
) -> None:
    """nvidia-ml-py turns this one answer into an exception that is no NVMLError."""
    clocked.fail(Family.PROCESSES, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
    assert drivers.gpus[0].compute_processes() == (None, "this driver is too old to offer it")
