"""Good samples of files from elsewhere, as small as their readers allow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.elsewhere import IMAGE

ROOT = Path(__file__).resolve().parents[2]
HISTORY = ROOT / "tests" / "store" / "history"
CATALOGUE = (ROOT / "tests" / "support" / "served" / "models.yaml").read_text(encoding="utf-8")
FOREIGN: tuple[dict[str, Any], ...] = (
    {
        "task": "text-to-image",
        "architecture": "diffusion",
        "configurations": [IMAGE],
    },
    {
        "hw": "h200",
        "conc": 4,
        "model": "an/expert-model",
        "framework": "vllm",
        "precision": "fp8",
        "isl": 8192,
        "osl": 1024,
        "tp": 8,
        "median_ttft": 0.41,
        "power_valid": 1,
        "avg_power_w": 300.0,
        "total_gpu_energy_j": 120000.0,
        "joules_per_successful_query": 3000.0,
        "joules_per_output_token": 2.5,
    },
    {
        "schema_version": "1.4",
        "aiperf_version": "0.14.0",
        "input_config": {"endpoint": {"model_names": ["an/8b"]}, "phases": [{"concurrency": 32}]},
        "request_count": {"unit": "requests", "avg": 80.0},
        "request_latency": {"unit": "ms", "avg": 9000.0, "p50": 8900.0},
        "total_osl": {"unit": "tokens", "avg": 40960.0},
        "nvidia_total_gpu_energy": {"unit": "J", "avg": 8192.0},
        "telemetry_data": {"endpoints": {"node": {"gpus": {"0": {"gpu_name": "NVIDIA H100"}}}}},
    },
    {
        "schema_version": "2.0",
        "experiment_id": "e1",
        "backend": "pytorch",
        "total_tokens": 512,
        "total_energy_j": 25.6,
        "total_inference_time_sec": 5.0,
        "avg_energy_per_token_j": 0.05,
        "effective_config": {"model": "an/llama", "precision": "bf16", "batch_size": 4},
        "environment_snapshot": {"hardware": {"gpu": {"name": "NVIDIA A100"}}},
    },
)
LINES = (
    "task_name,timestamp,project_name,run_id,duration,emissions,cpu_energy,gpu_energy,ram_energy,energy_consumed,"
    "codecarbon_version,gpu_count,gpu_model,tracking_mode\n"
    "query model,2023-10-02T20:20:31,an/encoder,000f2a61,8.4,0.0003,0.0001,0.0012,0.0007,0.002,2.3.1,8,"
    "8 x NVIDIA A100,machine\n"
)
STREAM = """\
data: {"model": "tiny", "choices": [{"delta": {"content": "Dear "}}]}
data: {"choices": [{"delta": {"content": "reader"}, "finish_reason": "length"}]}
data: {"usage": {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 0}}}
data: {"data": [{"b64_json": "iVBORw0KGgo="}]}
data: {"error": {"message": "no"}}
data: [DONE]
"""
METRICS = """\
# HELP vllm:num_requests_running Requests.
vllm:num_requests_running{engine="0",model_name="tiny"} 4.0
vllm:num_requests_waiting{engine="0"} 0
vllm:generation_tokens_total{engine="0"} 123456
"""
TASKS: tuple[dict[str, Any], ...] = (
    {
        "name": "count-files",
        "system": "Write one command in each turn.",
        "turns": [
            {"input": "How many files are here?", "output": "ls | wc -l", "output_tokens": 12},
            {"input": "7", "pause_s": 0.5, "output": "DONE. Seven files."},
        ],
    },
)
CHANGE = {
    "case": "bloom-560m",
    "baseline": "1f3a",
    "metric": "energy",
    "ratio": 1.087,
    "up_to": 1.104,
    "reason": "for the black images",
    "accepted": "2026-01-31T12:00:00Z",
}
DRAFTS: dict[str, Any] = {
    "schema": "joulebench/drafts/1",
    "label": "bloom-560m bfloat16 batch 1",
    "hash": "da852ff0e29d05a7",
    "unit": "page",
    "accepted_by": ["length=200..300"],
    "drafts": 10,
    "tried": 8,
    "accepted": 4,
    "rejected_by": {"length=200..300": 4},
    "share_low": 0.2,
    "share_high": 0.8,
    "attempts": {"value": 2.0, "low": 1.2, "high": 5.0, "n": 8},
    "scope": "gpu",
    "j_per_draft": {"value": 300.0, "low": 290.0, "high": 310.0, "n": 6},
    "j_per_accepted_item": {"value": 600.0, "low": 350.0, "high": 1500.0, "n": 8},
    "j_per_accepted_unit": {"value": 600.0, "low": 350.0, "high": 1500.0, "n": 8},
}
