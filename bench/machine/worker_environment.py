"""Environment variables that every worker and started server gets unless the user has set them, and why.

A worker's are in force from its first import on, and are in each record's provenance.
"""

from __future__ import annotations

DEFAULTS = {
    # Threads that spin at a barrier starve one another on a busy CPU: 20 to 100 times slower on two cores.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    # torch 2.11 with cuDNN 9.19 prefers cuDNN's attention on Hopper cards. It plans a graph for every new
    # length of the keys, 0.1 to 0.5 s each, inside measured blocks too; masks like T5's may have no plan.
    "TORCH_CUDNN_SDPA_DEPRIORITIZED": "1",
    # Else the hub's client asks for `/api/agent-harnesses` at each start, with a time limit of 3 s.
    "HF_HUB_DISABLE_TELEMETRY": "1",
}

UNTRACKED = {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""What a started server gets unless the user has set it: those in use would report what they serve."""
