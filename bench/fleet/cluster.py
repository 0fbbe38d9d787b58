"""A fleet on a Ray cluster that is up: one actor a node, which runs `NodeRunner`, and nothing else of ours.

    with Cluster("auto", folder) as cluster:
        facts = cluster.describe(plan)                 # by node: what it is, or why it cannot take part

Ray places nothing and schedules nothing here: an actor is bound to its node and asks for no resources,
because a GPU that Ray hands out is hidden from others.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

import bench
from bench.dependencies import install_command
from bench.doctor.examine import DoctorReport
from bench.errors import INTERNAL_FAULT, BenchError, PrerequisiteError
from bench.fleet.node import MeasuredFiles, NodeFacts, NodeRunner, fault
from bench.machine import provenance
from bench.measurement.case_plan import CasePlan

POLL_S = 1.0
KNOCK_S = 5.0
DESCRIBE_S = 120.0
"""For a node's first start of Python and the drivers."""
NO_ANSWER = f"it did not answer within {DESCRIBE_S:.0f} s"
SEES_ALL_CARDS = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
"""Without the first, Ray hides all cards from an actor that asks for none."""


class Cluster:
    """A connection to a Ray cluster, with an actor on each of its nodes."""

    def __init__(self, address: str, folder: str, runner: type[NodeRunner] = NodeRunner) -> None:
        """`folder` is where each node keeps its own records; ~ and variables are the node's.

        Raises PrerequisiteError.
        """
        self._ray = _ray()
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no reports to others
        try:
            _knock(address)
            self._ray.init(
                address=address, namespace="joulebench", log_to_driver=False, logging_level="error"
            )
        except (OSError, ValueError, RuntimeError) as error:
            first = str(error).strip().splitlines()[0]
            raise PrerequisiteError(
                f"No Ray cluster answers at {address}: {first}", "Start one with: ray start --head"
            ) from error
        _mute(self._ray)
        self._head = str(self._ray.get_runtime_context().gcs_address)
        self._head_lost = False
        self._actors: dict[str, Any] = {}
        self._folder, self._runner = folder, runner

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._head_lost:
            for actor in self._actors.values():
                self._ray.kill(actor)
        self._ray.shutdown()

    def describe(self, plan: CasePlan) -> dict[str, NodeFacts | str]:
        """What each node is, by its address and number; or in a sentence why it takes no part."""
        asked = {}
        for node in self._ray.nodes():
            if node["Alive"]:
                name = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
                self._actors[name] = self._actor(node["NodeID"])
                asked[name] = self._actors[name].describe.remote(plan), dict(node.get("Labels") or {})
        found = {name: (self._facts(reference), labels) for name, (reference, labels) in asked.items()}
        return {
            name: facts if isinstance(facts, str) else facts.labelled(plan, labels)
            for name, (facts, labels) in found.items()
        }

    def _actor(self, node_id: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(node_id, soft=False)
        remote = self._ray.remote(self._runner).options(
            num_cpus=0,
            max_concurrency=3,  # it is asked for its progress, and told to stop, while it measures
            max_restarts=0,
            scheduling_strategy=here,
            runtime_env={"env_vars": SEES_ALL_CARDS},
        )
        return remote.remote(self._folder)

    def _facts(self, reference: Any) -> NodeFacts | str:
        try:
            facts = self._ray.get(reference, timeout=DESCRIBE_S)
        except self._ray.exceptions.GetTimeoutError:
            return NO_ANSWER
        except self._ray.exceptions.RayError as error:
            return self._why(error)
        assert isinstance(facts, NodeFacts)
        if facts.version != bench.__version__:
            return f"its joulebench is {facts.version}, and this one {bench.__version__}"
        if facts.sources != provenance.sources():
            return f"its joulebench {facts.version} has other code than this one"
        return facts

    def _why(self, error: Exception) -> str:
        """A sentence for an answer that is an error: the node's own, or that it was lost."""
        if isinstance(error, self._ray.exceptions.RayTaskError):  # it answered, and its code raised
            cause = getattr(error, "cause", None) or error
            return cause.message if isinstance(cause, BenchError) else fault(cause)
        return f"it was lost: {_last_line(error)}"

    def findings(
        self, nodes: Iterable[str], gpus: str | None
    ) -> dict[str, tuple[DoctorReport, dict[str, str]] | str]:
        """What the doctor finds on each node, and the measurements that hold its cards or CPU now.

        A sentence of a node that does not say.
        """
        asked = {
            node: (self._actors[node].findings.remote(gpus), self._actors[node].holders.remote())
            for node in nodes
        }
        return {node: self._found(list(both)) for node, both in asked.items()}

    def _found(self, references: list[Any]) -> tuple[DoctorReport, dict[str, str]] | str:
        try:
            report, holders = self._ray.get(references, timeout=DESCRIBE_S)
        except self._ray.exceptions.GetTimeoutError:
            return NO_ANSWER
        except self._ray.exceptions.RayError as error:
            return self._why(error)
        return report, holders

    def start(self, node: str, plan: CasePlan) -> Any:
        """Let a node measure; returns what `ready` answers for."""
        return self._actors[node].measure.remote(plan)

    def ready(self, references: list[Any]) -> list[Any]:
        """Those that have ended, as soon as one has, after a second at most.

        Waiting for all of them would leave a node idle for up to that second after each of its cases.
        """
        ended, running = self._ray.wait(references, num_returns=1, timeout=POLL_S)
        if ended and running:
            more, _ = self._ray.wait(running, num_returns=len(running), timeout=0)
            ended += more
        return list(ended)

    def result(self, reference: Any) -> MeasuredFiles | None:
        """What a node has measured, or the fault of its code; `None` if the node was lost."""
        try:
            measured = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            return MeasuredFiles(error=self._why(error), exit_status=INTERNAL_FAULT)
        except self._ray.exceptions.RayError:
            return None
        assert isinstance(measured, MeasuredFiles)
        return measured

    def progress(self, node: str) -> str | None:
        """What a node does now; `None` if it does not answer at once."""
        try:
            return str(self._ray.get(self._actors[node].progress.remote(), timeout=POLL_S))
        except self._ray.exceptions.RayError:
            return None

    def head_answers(self) -> bool:
        """Whether the head's port takes connections; where it does not, Ray ends this process after 60 s."""
        try:
            _knock(self._head, POLL_S)
        except OSError:
            self._head_lost = True
            return False
        self._head_lost = False
        return True

    def stop(self, node: str) -> None:
        """Let a node end what it measures, as Ctrl-C does."""
        self._actors[node].stop.remote()


def _knock(address: str, timeout_s: float = KNOCK_S) -> None:
    """Raise OSError where nothing listens: Ray itself would wait for minutes."""
    host, separator, port = address.rpartition(":")
    if separator and port.isdecimal() and "//" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout_s).close()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise PrerequisiteError(
            "A fleet needs Ray, which is not installed.", f"Install it with: {install_command('fleet')}"
        ) from error
    except Exception as error:  # KeyError('libamd_smi.so') of an amdsmi without its library
        raise PrerequisiteError(
            f"Ray cannot be imported here: {type(error).__name__}: {_last_line(error)}.",
            "Mend the package that it names, or use an environment without it.",
        ) from error
    return ray


def _mute(ray: Any) -> None:
    """Keep Ray's account of a lost node, pages of its log, out of stdout: our own line names the node."""
    with suppress(AttributeError):
        ray._private.worker.print_to_stdstream = lambda *_, **__: None


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
