"""A program that measures simulated cases on a cluster, to be killed or left without its head.

python -m tests.fleet.driver ADDRESS FOLDER CASES
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.fleet import measuring
from bench.fleet.cluster import Cluster
from tests.support.simulated_node import SimulatedNode, planned


def main(address: str, folder: str, cases: str) -> int:
    """Measure, and print what the command would say."""
    measuring.HEAD_LOOK_S = 1.0
    with Cluster(address, f"{folder}/nodes", SimulatedNode) as cluster:
        outcome = measuring.measure_on(cluster, planned(int(cases)), Path(folder, "here"), _say)
    for text in (*outcome.errors, *outcome.given_up.values()):
        _say(f"Error: {text}")
    return outcome.exit_status


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
