"""Where work runs and what is metered, by index, UUID, environment and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from bench.catalog.cases import Case, Overrides, plan
from bench.catalog.loading import load
from bench.catalog.prompts import prompts
from bench.core.modalities.video import VideoOptions
from bench.errors import PrerequisiteError, UsageError
from bench.machine.gpu_processes import GpuProcesses
from bench.machine.placement import hidden_cards, place, visible_cards
from bench.measurement.fitting import (
    BASE_BYTES,
    OVERHEAD,
    available_bytes,
    batch_memory,
    needed,
    needed_bytes,
    why_not,
)
from bench.meters.gpus import GpuDrivers
from tests.standin import Family, StandIn

UUIDS = [f"GPU-00000000-0000-4000-8000-00000000000{index}" for index in range(2)]
SHIPPED = Path(__file__).resolve().parents[2] / "models.yaml"


@pytest.fixture
def drivers(standin: StandIn) -> Iterator[GpuDrivers]:
    standin.attach()
    with GpuDrivers() as connection:
        yield connection
    standin.detach()


def case(name: str) -> Case:
    return plan(load(SHIPPED), [name], Overrides())[0].case


def test_with_a_gpu_the_work_goes_to_the_first_visible_one(drivers: GpuDrivers) -> None:
    placement = place(drivers, None, "auto")
    assert placement.device == "cuda"
    assert placement.named == ()
    assert [gpu.uuid for gpu in placement.visible] == UUIDS[:1]
    assert placement.environment == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "cuda:0 is NVML's first card"


def test_named_cards_are_made_visible_by_uuid_because_cuda_counts_differently(drivers: GpuDrivers) -> None:
    placement = place(drivers, f"1,{UUIDS[0]}", "auto")
    assert [gpu.index for gpu in placement.named] == [1, 0]
    assert placement.environment["CUDA_VISIBLE_DEVICES"] == f"{UUIDS[1]},{UUIDS[0]}"
    assert placement.torch_devices == ("cuda:0", "cuda:1")


def test_a_card_named_twice_is_counted_once(drivers: GpuDrivers) -> None:
    assert len(place(drivers, f"0,{UUIDS[0]}", "auto").named) == 1


def test_with_device_cpu_named_cards_are_only_metered(drivers: GpuDrivers) -> None:
    placement = place(drivers, "1", "cpu")
    assert placement.device == "cpu"
    assert [gpu.index for gpu in placement.named] == [1]
    assert placement.environment == {}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("1", ["1"]), (UUIDS[1], ["1"]), ("GPU-00000000-0000-4000-8000-000000000001", ["1"])],
)
def test_cuda_visible_devices_is_obeyed(
    drivers: GpuDrivers, monkeypatch: pytest.MonkeyPatch, setting: str, expected: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert [str(gpu.index) for gpu in place(drivers, None, "auto").visible] == expected


def test_an_empty_cuda_visible_devices_means_the_cpu(
    drivers: GpuDrivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert place(drivers, None, "auto").device == "cpu"
    with pytest.raises(PrerequisiteError, match="hides every GPU"):
        place(drivers, None, "cuda")


@pytest.mark.parametrize(
    ("setting", "seen", "says"),
    [
        ("1,1", 0, "hides all 2 cards (GPU 0, 1: NVIDIA H200"),
        (f"0,{UUIDS[0]}", 0, "hides all 2 cards"),
        ("7", 0, "hides all 2 cards"),
        ("all", 0, "hides all 2 cards"),
        ("0", 1, "hides 1 of 2 cards (GPU 1: NVIDIA H200"),
        ("1,0", 2, None),
    ],
)
def test_cards_that_are_hidden_are_said_to_be(
    drivers: GpuDrivers, monkeypatch: pytest.MonkeyPatch, setting: str, seen: int, says: str | None
) -> None:
    assert hidden_cards(drivers) is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", setting)
    assert len(visible_cards(drivers)) == seen, "a card named twice hides all, as it does for CUDA"
    reason = hidden_cards(drivers)
    if says is None:
        assert reason is None
    else:
        assert says in str(reason)
        assert f"CUDA_VISIBLE_DEVICES={setting}" in str(reason)


def test_a_mig_slice_is_refused_with_the_reason(drivers: GpuDrivers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")
    with pytest.raises(PrerequisiteError, match="no energy counter of its own"):
        place(drivers, None, "auto")


def test_an_unknown_card_names_the_known_ones(drivers: GpuDrivers) -> None:
    with pytest.raises(UsageError, match=UUIDS[1]):
        place(drivers, "5", "auto")


def test_fit_goes_by_weights_dtype_and_the_cards_named(drivers: GpuDrivers, standin: StandIn) -> None:
    for index in (0, 1):
        standin.gpu(index).memory_total_bytes = 24 * 10**9
    one, both = place(drivers, "0", "auto"), place(drivers, "0,1", "auto")
    assert available_bytes(both) == 2 * available_bytes(one) == 48 * 10**9
    assert why_not(case("bloom-7b1"), one) is None
    large = case("flux.1-dev")
    assert needed_bytes(large) > 34e9
    assert "needs about 40 GB" in str(why_not(large, one))
    assert why_not(large, both) is None


def test_models_for_several_cards_fit_on_as_many_as_they_say(drivers: GpuDrivers, standin: StandIn) -> None:
    """BLOOM-176B is 352 GB in bf16; DeepSeek-V3.2 ships 690 GB of FP8, and in bf16 has 1,344 GB."""
    for index in (0, 1):
        standin.gpu(index).memory_total_bytes = 141 * 10**9
    both = place(drivers, "0,1", "auto")
    two, four, eight = (replace(both, visible=both.visible * pairs) for pairs in (1, 2, 4))
    assert "needs about 408 GB" in str(why_not(case("bloom-176b"), two))
    assert why_not(case("bloom-176b"), four) is None
    published = case("deepseek-v3.2")
    assert "needs about 795 GB as published, " in str(why_not(published, four))
    assert why_not(published, eight) is None
    at_random = plan(load(SHIPPED), ["deepseek-v3.2"], Overrides(weights="random"))[0].case
    assert "needs about 1546 GB in bfloat16, " in str(why_not(at_random, eight))
    assert why_not(case("deepseek-v2-lite-chat"), two) is None


def test_a_film_too_long_for_memory_is_said_before_it_is_loaded(
    drivers: GpuDrivers, standin: StandIn
) -> None:
    standin.gpu(0).memory_total_bytes = 80 * 10**9
    one = place(drivers, "0", "auto")
    film = case("wan-2.1-14b")
    assert why_not(film, one) is None
    assert isinstance(film.options, VideoOptions)
    longer = film.options.model_copy(update={"frames": 4001})
    # 4001 frames of 1280x720 with three colours, twice as four-byte numbers.
    assert longer.output_bytes(1) == 4001 * 1280 * 720 * 3 * 4 * 2
    # 1001 latent frames of 80 by 45 patches; residual, query, key and value of 40 heads of 128 in two bytes.
    assert batch_memory(replace(film, options=longer)).activation_bytes == 1001 * 80 * 45 * 4 * 40 * 128 * 2
    reason = why_not(replace(film, options=longer), one)
    assert reason is not None
    assert "needs about 189 GB in bfloat16 (142 GB of it for the largest layer), " in reason


def test_a_batch_too_large_for_the_vae_is_said_before_it_is_loaded(
    drivers: GpuDrivers, standin: StandIn
) -> None:
    standin.gpu(0).memory_total_bytes = 80 * 10**9
    one = place(drivers, "0", "auto")
    picture = case("sdxl")
    # The VAE's last 128 maps of 1024x1024, read and written in two bytes.
    assert batch_memory(picture).activation_bytes == 1024 * 1024 * 128 * 2 * 2
    assert why_not(replace(picture, batch=64), one) is None
    assert "of it for the largest layer), " in str(why_not(replace(picture, batch=4096), one))


def with_options(planned: Case, **changes: object) -> Case:
    return replace(planned, options=planned.options.model_copy(update=changes))


def test_the_longest_context_of_a_council_has_to_fit_and_an_agents_tasks_come_one_by_one() -> None:
    council = case("council-of-four")
    prompt = max(map(len, prompts("council").texts)) // 4
    context = prompt + 4 * (340 + 200) + 340  # what the chairman reads and writes
    largest = 2 * 30 * 4096 * 2  # bloomz-7b1: the widest cache of the four
    assert needed(council).keys_and_values == largest * context
    assert needed(replace(council, batch=8)).keys_and_values == 8 * largest * context
    agent = case("agent-qwen3-8b")
    assert needed(agent).keys_and_values > 0
    assert needed(replace(agent, batch=8)) == needed(agent)


def test_keys_and_values_of_all_new_tokens_have_to_fit(drivers: GpuDrivers, standin: StandIn) -> None:
    standin.gpu(0).memory_total_bytes = 80 * 10**9
    one = place(drivers, "0", "auto")
    page = case("llama-3.1-8b-instruct")
    assert why_not(page, one) is None
    many = replace(with_options(page, new_tokens=8192), batch=64)
    # 32 layers, 8 heads of 128 numbers for keys and as many for values, of two bytes.
    assert needed(many).keys_and_values == 2 * 32 * 8 * 128 * 2 * 8192 * 64
    assert "(69 GB of it for keys and values), " in str(why_not(many, one))
    film = case("wan-2.1-14b")
    assert needed(film).keys_and_values == 0
    bloom = with_options(case("bloom-7b1"), new_tokens=1000)
    assert needed(bloom).keys_and_values == 2 * 30 * 4096 * 2 * 1000


def test_quantised_weights_take_less_of_the_card_and_all_of_the_host(
    drivers: GpuDrivers, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.gpu(0).memory_total_bytes = 16 * 10**9
    one = place(drivers, "0", "auto")
    page = case("llama-3.1-8b-instruct")
    assert "needs about 20 GB in bfloat16, " in str(why_not(page, one))
    fewer = with_options(page, quantization="bnb-4bit")
    numbers, embedded = page.model.memory_gb * 1e9 / 2, 128256 * 4096
    stored = 2 * embedded + (numbers - embedded) * 0.5625
    assert needed(fewer).weights == pytest.approx(stored * OVERHEAD + BASE_BYTES)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=32 * 10**9))
    assert why_not(fewer, one) is None
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8 * 10**9))
    assert why_not(fewer, one) == (
        "needs about 16 GB of the host's memory in bfloat16 while it is quantised, this machine has 8 GB"
    )
    standin.gpu(0).memory_total_bytes = 4 * 10**9
    assert "needs about 7 GB in bfloat16 with bnb-4bit, " in str(why_not(fewer, place(drivers, "0", "auto")))


def test_with_offload_the_largest_network_alone_has_to_fit(drivers: GpuDrivers, standin: StandIn) -> None:
    standin.gpu(0).memory_total_bytes = 40 * 10**9
    one = place(drivers, "0", "auto")
    film = case("wan-2.1-14b")
    assert why_not(film, one) is not None
    carried = replace(film, options=film.options.model_copy(update={"offload": "model"}))
    # The denoiser has 14.3 of 20.1 billion numbers.
    assert needed_bytes(carried) == pytest.approx(
        14.288 / 20.096 * 40.2e9 * OVERHEAD + BASE_BYTES + film.options.output_bytes(1), rel=1e-3
    )
    assert why_not(carried, one) is None


def test_a_process_that_comes_later_is_foreign_and_ours_is_not(drivers: GpuDrivers, standin: StandIn) -> None:
    standin.set_processes(0, compute={10: 1})
    gpu_processes = GpuProcesses(drivers.gpus, outside=False)
    standin.set_processes(0, compute={10: 1, 20: 1})
    gpu_processes.loaded((20,), drivers.gpus[:1])
    assert gpu_processes.foreign() == ([10], None)
    standin.set_processes(0, compute={20: 1, 30: 1})
    assert gpu_processes.foreign() == ([30], None)


def test_in_a_container_the_process_that_came_with_our_worker_is_ours(
    drivers: GpuDrivers, standin: StandIn
) -> None:
    gpu_processes = GpuProcesses(drivers.gpus, outside=False)
    standin.set_processes(0, compute={99123: 1})
    gpu_processes.loaded((20,), drivers.gpus[:1])
    assert gpu_processes.foreign() == ([], None)


def test_work_outside_this_process_is_not_foreign_and_other_cards_do_not_matter(
    drivers: GpuDrivers, standin: StandIn
) -> None:
    standin.set_processes(0, compute={10: 1})
    gpu_processes = GpuProcesses(drivers.gpus, outside=True)
    gpu_processes.loaded((20,), drivers.gpus[:1])
    standin.set_processes(1, compute={30: 1})
    assert gpu_processes.foreign() == ([], None)
    standin.set_processes(0, compute={10: 1, 40: 1})
    assert gpu_processes.foreign() == ([40], None)


def test_of_a_producer_without_processes_what_was_there_before_is_the_work(
    drivers: GpuDrivers, standin: StandIn
) -> None:
    standin.set_processes(0, compute={10: 1, 11: 1})
    gpu_processes = GpuProcesses(drivers.gpus, outside=False)
    gpu_processes.loaded((), drivers.gpus[:1])
    assert gpu_processes.foreign() == ([], None)
    standin.set_processes(0, compute={10: 1, 11: 1, 40: 1})
    assert gpu_processes.foreign() == ([40], None)


def test_a_process_list_that_is_denied_is_not_an_empty_one(drivers: GpuDrivers, standin: StandIn) -> None:
    gpu_processes = GpuProcesses(drivers.gpus, outside=False)
    gpu_processes.loaded((20,), drivers.gpus[:1])
    standin.fail(Family.PROCESSES, pynvml.NVML_ERROR_NO_PERMISSION)
    assert gpu_processes.foreign() == (None, "this user may not read it")


def test_a_card_in_mig_mode_is_refused_before_anything_is_loaded(
    drivers: GpuDrivers, standin: StandIn
) -> None:
    standin.gpu(0).mig_mode = 1
    with pytest.raises(PrerequisiteError, match="split into MIG slices"):
        place(drivers, None, "auto")
    assert place(drivers, "1", "auto").device == "cuda"
