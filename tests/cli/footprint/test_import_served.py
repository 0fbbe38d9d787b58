"""Imports of benchmarks of servers (InferenceX, aiperf, LLenergyMeasure): small files of their shape."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Typed
from tests.cli.footprint.imports import rows

AGGREGATE: dict[str, Any] = {
    "hw": "h200",
    "conc": 4,
    "image": "vllm/vllm-openai:v0.11.1",
    "model": "an/expert-model",
    "framework": "vllm",
    "precision": "fp8",
    "spec_decoding": "none",
    "disagg": False,
    "isl": 8192,
    "osl": 1024,
    "is_multinode": False,
    "tp": 8,
    "ep": 1,
    "tput_per_gpu": 350.5,
    "median_ttft": 0.41,
    "median_itl": 0.009,
    "power_valid": 1,
    "avg_power_w": 300.0,
    "avg_total_gpu_power_w": 2400.0,
    "total_gpu_energy_j": 120000.0,
    "joules_per_successful_query": 3000.0,
    "joules_per_input_token": 0.4,
    "joules_per_output_token": 2.5,
    "joules_per_total_token": 0.345,
}
DASHBOARD: dict[str, Any] = {
    "id": 7,
    "model": "expert",
    "hardware": "b200",
    "framework": "sglang",
    "precision": "fp4",
    "spec_method": "mtp",
    "isl": 1024,
    "osl": 1024,
    "conc": 64,
    "num_prefill_gpu": 8,
    "num_decode_gpu": 8,
    "date": "2026-09-08",
    "metrics": {
        "power_valid": 1,
        "power_metric_schema_version": 2,
        "avg_power_w": 350.0,
        "avg_total_gpu_power_w": 2800.0,
        "joules_per_output_token": 12.5,
    },
}
SUMMARY: dict[str, Any] = {
    "schema_version": "1.4",
    "aiperf_version": "0.14.0",
    "input_config": {
        "endpoint": {"model_names": ["an/8b"], "streaming": True},
        "phases": [{"concurrency": 1}, {"concurrency": 32}],
    },
    "request_count": {"unit": "requests", "avg": 80.0},
    "request_latency": {"unit": "ms", "avg": 9000.0, "p50": 8900.0, "p99": 9900.0},
    "time_to_first_token": {"unit": "ms", "avg": 300.0, "p50": 280.0},
    "output_sequence_length": {"unit": "tokens", "avg": 1024.0},
    "total_isl": {"unit": "tokens", "avg": 81920.0},
    "total_osl": {"unit": "tokens", "avg": 40960.0},
    "error_request_count": {"unit": "requests", "avg": 2.0},
    "nvidia_total_gpu_energy": {"unit": "J", "avg": 8192.0},
    "nvidia_energy_per_output_token": {"unit": "mJ/token", "avg": 200.0},
    "telemetry_data": {
        "endpoints": {"node:9401": {"gpus": {str(n): {"gpu_name": "NVIDIA H100"} for n in range(8)}}}
    },
    "was_cancelled": False,
}
RESULT: dict[str, Any] = {
    "schema_version": "2.0",
    "experiment_id": "e1",
    "backend": "pytorch",
    "measurement_methodology": "total",
    "total_tokens": 512,
    "total_energy_j": 25.6,
    "total_inference_time_sec": 5.0,
    "avg_tokens_per_second": 102.4,
    "avg_energy_per_token_j": 0.05,
    "energy_adjusted_j": 20.48,
    "baseline_power_w": 1.0,
    "effective_config": {"model": "an/llama", "precision": "bf16", "batch_size": 4},
    "environment_snapshot": {"hardware": {"gpu": {"name": "NVIDIA A100"}}},
}
NEWER: dict[str, Any] = {
    "schema_version": "5.0",
    "llenergymeasure_version": "0.6.0",
    "experiment_id": "e2",
    "engine": "vllm",
    "model_name": "an/llama",
    "input_tokens": 192,
    "output_tokens": 64,
    "total_tokens": 256,
    "total_energy_j": 12.8,
    "avg_energy_per_token_j": 0.05,
    "latency_stats": {"ttft_median_ms": 30.0},
}


def by_unit(found: list[dict[str, Any]]) -> dict[str, float]:
    return {row["unit"]: row["value"] for row in found}


def test_an_aggregate_of_inferencex_has_a_row_for_each_of_its_joules(typed: Typed, kept: Any) -> None:
    found = rows(typed, kept(AGGREGATE))
    assert by_unit(found) == {
        "output_token": 2.5,
        "input_token": 0.4,
        "total_token": 0.345,
        "request": 3000.0,
    }
    row = found[0]
    assert (row["system"], row["hardware"], row["scope"]) == ("an/expert-model", "8x H200", "gpu")
    conditions = row["conditions"]
    assert [conditions[key] for key in ("concurrency", "input_tokens", "gpus", "engine")] == [
        4,
        8192,
        8,
        "vllm",
    ]
    assert row["idle_inside"]
    assert "note" not in row


def test_rows_of_its_dashboard_are_read_as_a_list_and_the_cards_count_once(typed: Typed, kept: Any) -> None:
    found = rows(typed, kept([DASHBOARD, AGGREGATE]))
    assert len(found) == 5
    first = found[0]
    assert (first["value"], first["hardware"], first["year"]) == (12.5, "8x B200", 2026)
    assert first["conditions"]["speculation"] == "mtp"


def test_power_that_inferencex_found_invalid_or_did_not_judge_is_said(typed: Typed, kept: Any) -> None:
    invalid = AGGREGATE | {"power_valid": 0}
    done = typed("footprint", "import", kept([invalid, DASHBOARD]))
    assert done.status == 2
    assert "run 1: InferenceX marks its power as invalid." in done.err
    assert "1 reference rows" in done.err
    older = {key: value for key, value in AGGREGATE.items() if key != "power_valid"}
    assert "does not state whether its power was found valid" in rows(typed, kept(older))[0]["note"]
    none = {key: value for key, value in older.items() if not key.startswith("joules")}
    assert "it has none of joules_per_output_token" in typed("footprint", "import", kept(none)).err


def test_a_summary_of_aiperf_is_its_total_energy_over_its_counts(typed: Typed, kept: Any) -> None:
    found = rows(typed, kept(SUMMARY))
    assert by_unit(found) == {
        "output_token": pytest.approx(0.2),
        "total_token": pytest.approx(8192 / 122880),
        "request": pytest.approx(102.4),
    }
    row = found[0]
    assert row["value"] * 1e3 == pytest.approx(SUMMARY["nvidia_energy_per_output_token"]["avg"])
    assert (row["system"], row["hardware"], row["evidence"]) == ("an/8b", "8x NVIDIA H100", "derived")
    assert row["conditions"]["concurrency"] == 32
    assert row["conditions"]["ttft_p50_ms"] == 280
    assert "all cards that aiperf's collector saw" in row["boundary"]
    assert "2 requests failed: their joules are inside" in row["note"]


def test_a_result_of_llenergymeasure_is_with_idle_and_without(typed: Typed, kept: Any) -> None:
    gross, net = rows(typed, kept(RESULT))
    assert (gross["unit"], gross["value"], gross["idle_inside"]) == ("token", pytest.approx(0.05), True)
    assert (net["value"], net.get("idle_inside", False)) == (pytest.approx(0.04), False)
    assert "Whether prompts are among them is not stated." in gross["note"]
    assert (gross["hardware"], gross["conditions"]["batch"]) == ("NVIDIA A100", 4)
    other = rows(typed, kept(RESULT | {"avg_energy_per_token_j": 0.1}))[0]
    assert "Its own mean a token is 0.1 J: it counts other tokens." in other["note"]


def test_a_study_of_llenergymeasure_tells_tokens_apart_where_its_schema_does(typed: Typed, kept: Any) -> None:
    found = rows(typed, kept({"study_name": "s", "experiments": [NEWER]}))
    assert by_unit(found) == {"output_token": 0.2, "total_token": 0.05}
    assert found[0]["conditions"]["ttft_p50_ms"] == 30
    unmetered = rows(typed, kept({"experiments": [NEWER | {"total_energy_j": 0.0}]}))
    assert "value" not in unmetered[0]
    assert "nothing was metered" in unmetered[0]["note"]


BAD: list[tuple[Any, str]] = [
    ([AGGREGATE | {"joules_per_output_token": -1}], '`joules_per_output_token` is "-1", no number'),
    (AGGREGATE | {"model": None}, "`model` is missing, no text."),
    (SUMMARY | {"was_cancelled": True}, "its run was cancelled."),
    (SUMMARY | {"nvidia_total_gpu_energy": {"unit": "MJ", "avg": 1}}, "its unit is MJ, not J."),
    (SUMMARY | {"total_osl": {"unit": "tokens", "avg": None}}, "total_osl: `avg` is missing"),
    ({key: SUMMARY[key] for key in SUMMARY if "energy" not in key}, "it has no total energy of GPUs."),
    (RESULT | {"total_energy_j": "much"}, '`total_energy_j` is "much", no number'),
    (RESULT | {"total_tokens": 0}, "`total_tokens` is 0"),
]


@pytest.mark.parametrize(("content", "says"), BAD, ids=[says for _, says in BAD])
def test_a_bad_file_of_a_server_is_one_sentence(content: Any, says: str, typed: Typed, kept: Any) -> None:
    done = typed("footprint", "import", kept(content))
    assert done.status == 2
    assert says in done.err
    assert "Traceback" not in done.err
