"""A node whose work has known watts on its own stand-in card."""

from __future__ import annotations

from bench.fleet.node import NodeRunner
from bench.worker import process


class MeteredNode(NodeRunner):
    """Runs the test's worker, as `tests.support.main_job.metered` does."""

    def __init__(self, folder: str) -> None:
        process.WORKER = "tests.support.main_job.worker"
        super().__init__(folder)
