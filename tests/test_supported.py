"""docs/supported.md has the words that people search for, also where the answer is no."""

from __future__ import annotations

import pytest

from tests.support.processes import ROOT

ROWS = [
    line.split("|")[1:4]
    for line in (ROOT / "docs" / "supported.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
]
# fmt: off
SEARCHED = (
    "A100", "AMD", "Apple", "CI", "Colab", "CodeCarbon", "Docker", "FP8", "GH200", "Grafana", "H100",
    "Intel", "Jetson", "Jupyter", "Kubernetes", "MIG", "Ollama", "Podman", "Prometheus", "RAPL", "ROCm",
    "Ray", "SGLang", "Slurm", "TPU", "TensorRT-LLM", "WSL2", "Windows", "diffusers", "fine-tuning",
    "llama.cpp", "macOS", "multi-GPU", "pytest", "resume", "roofline", "training", "transformers",
    "vGPU", "vLLM",
)
# fmt: on


@pytest.mark.parametrize("word", SEARCHED)
def test_a_word_that_people_search_for_has_a_row_with_an_answer(word: str) -> None:
    found = [answer for words, answer, reason in ROWS if word in words and answer.strip() and reason.strip()]
    assert found, word
