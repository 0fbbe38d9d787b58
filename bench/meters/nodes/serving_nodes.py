"""All nodes of one server: windows of each by its agent, put together by domain.

    with ServingNodes(addresses, token) as nodes:        # PrerequisiteError: an agent does not answer
        nodes.compare_clocks()                           # before the load, and again by `window`
        found = nodes.window(start_ns, end_ns)           # NodesWindow(energy, gpus, reason_codes, ...)

A node that gives nothing keeps its domains, without joules and with the reason, so that no sum is smaller
for it. It is the same with a kind of device that one node reads and another does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.core.calibration import Calibration
from bench.core.clocks import ClockOffset
from bench.core.domain import DeviceKind, Domain
from bench.core.energy import DomainEnergy
from bench.core.machine import ServingNode, SourceUsed
from bench.core.observed import CounterDelay, GpuObserved
from bench.errors import PrerequisiteError
from bench.meters.base import unreadable
from bench.meters.nodes.address import NodeAddress
from bench.meters.nodes.client import NodeClient, NodeError, NodeRefusalError
from bench.meters.nodes.clock import HalfWidths
from bench.meters.nodes.kept_samples import KeptSamples
from bench.meters.nodes.messages import TOKEN_VARIABLE, WindowReply

LOST, FAILED, UNMETERED = "node-lost", "node-failed", "node-unmetered"
"""Reason codes of a window."""
NO_METER = "this node has no meter"
STAND_IN: dict[DeviceKind, str] = {"gpu": "gpu", "cpu": "cpu", "memory": "dram", "wall": "wall"}
"""Prefix of the domain of what a node does not meter."""
RECTANGLE = math.sqrt(3)
"""Half width of a rectangle over its standard deviation."""
Answer = TypeVar("Answer")


@dataclass
class NodesWindow:
    """What all nodes read in one window."""

    energy: dict[str, DomainEnergy] = field(default_factory=dict)
    gpus: dict[str, GpuObserved] = field(default_factory=dict)
    """By UUID."""
    counter_delay: dict[str, CounterDelay] = field(default_factory=dict)
    longest_sample_gap_s: float | None = None
    sample_gap_p99_s: float | None = None
    reason_codes: list[str] = field(default_factory=list)


class ServingNodes:
    """Agents of all nodes, for the life of a `with` block."""

    def __init__(self, addresses: tuple[NodeAddress, ...], token: str) -> None:
        self._addresses = {address.name: address for address in addresses}
        self._clients = {
            address.name: NodeClient(address, token) for address in addresses if address.port is not None
        }
        self._lost: dict[str, str] = {}
        self._clock: dict[str, HalfWidths] = {}
        """Widest half widths of the windows so far, by node."""
        self._kept: dict[str, KeptSamples] = {}
        self._pool = ThreadPoolExecutor(max(1, len(self._clients)))

    def __enter__(self) -> Self:
        try:
            self._connect()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._pool.shutdown()
        for client in self._clients.values():
            client.close()

    def _connect(self) -> None:
        for name, found in self._each(lambda client: client.connect()).items():
            if isinstance(found, NodeError):
                raise PrerequisiteError(
                    f"The metering agent of node {name} ({self._addresses[name].text}) failed: {found}.",
                    f"Start `python -m bench fleet meter` there, with the same {TOKEN_VARIABLE}.",
                )
        self._kept = {name: KeptSamples(client) for name, client in self._clients.items()}
        cards = [uuid for client in self._clients.values() for uuid in _uuids(client)]
        if twice := {uuid for uuid in cards if cards.count(uuid) > 1}:
            raise PrerequisiteError(
                f"Two nodes meter {', '.join(sorted(twice))}.", "Name the agent of each machine once."
            )

    @property
    def margin_s(self) -> float:
        """For how long a load has to be steady on either side of an edge: for meters and clocks."""
        margins = [
            client.description.margin_s + (client.track.longest_round_trip_s / 2)
            for client in self._clients.values()
        ]
        return max(margins, default=0.0)

    @property
    def cards(self) -> list[str]:
        """Names of the metered cards of all nodes."""
        return [str(gpu.name) for client in self._clients.values() for gpu in client.description.gpus]

    @property
    def lost(self) -> dict[str, str]:
        """Nodes that gave nothing the last time, with the reason."""
        return dict(self._lost)

    @property
    def energy_sources(self) -> dict[str, SourceUsed]:
        """Sources of all nodes, each with all its domains."""
        read: dict[str, SourceUsed] = {}
        for name, client in self._clients.items():
            for source, used in client.description.energy_sources.items():
                merged = read.setdefault(source, SourceUsed(domains=[], gain=used.gain))
                merged.domains += [_domain(domain, name) for domain in used.domains]
        return read

    @property
    def calibrations(self) -> dict[str, Calibration]:
        """By UUID, of the cards that were calibrated on their nodes."""
        kept = (client.description.calibration for client in self._clients.values())
        return {uuid: calibration for of_node in kept for uuid, calibration in of_node.items()}

    def compare_clocks(self) -> None:
        """Measure every node's offset now; a node that does not answer is lost for the window."""
        self._note_lost(self._each(lambda client: client.compare_clocks()))

    def window(self, start_ns: int, end_ns: int) -> NodesWindow:
        """Joules of all nodes between two moments of our clock that have passed."""
        before = self._lost
        self.compare_clocks()
        self._lost = before | self._lost
        replies = self._each(lambda client: client.window(start_ns, end_ns))
        self._each(self._fetch)
        self._note_lost(replies, before=self._lost)
        found = NodesWindow()
        for name, client in self._clients.items():
            reply = replies[name]
            if isinstance(reply, NodeError) or name in self._lost:
                found.energy |= self._unread(name)
                continue
            off = client.off_by(start_ns, end_ns)
            self._clock[name] = max(self._clock.get(name, off), off, key=lambda each: each.total_s)
            read = {domain: reply.energy.get(domain) for domain in client.description.domains}
            whole = {domain: energy or unreadable("none", "no reading") for domain, energy in read.items()}
            _add(found, name, reply.model_copy(update={"energy": whole}), off, (end_ns - start_ns) / 1e9)
        found.energy |= self._stand_ins()
        reasons = [str(energy.reason) for energy in found.energy.values()]
        found.reason_codes = [
            code for code in (LOST, FAILED, UNMETERED) if any(each.startswith(f"{code}:") for each in reasons)
        ]
        return found

    def samples(self, start_ns: int, end_ns: int) -> dict[str, NDArray[np.void]]:
        """The recorder's rows of every domain that gave some, stamped by our clock."""
        self._each(self._fetch)
        found = {
            _domain(domain, name): self._kept[name].between(domain, start_ns, end_ns)
            for name, client in self._clients.items()
            for domain in client.description.domains
        }
        return {domain: rows for domain, rows in found.items() if len(rows)}

    def _fetch(self, client: NodeClient) -> None:
        self._kept[client.address.name].fetch()

    def described(self) -> dict[str, ServingNode]:
        """Each node with its cards, and the proof of its clock so far."""
        return {name: self._described(name, address) for name, address in self._addresses.items()}

    def _described(self, name: str, address: NodeAddress) -> ServingNode:
        client = self._clients.get(name)
        if client is None:
            return ServingNode(role=address.role, absent={"energy": NO_METER, "clock": NO_METER})
        facts, last = client.description, client.track.last
        node = ServingNode(
            role=address.role,
            machine=facts.machine,
            machine_id=facts.machine_id,
            gpus=facts.gpus,
            driver=facts.driver,
            domains=[_domain(domain, name) for domain in facts.domains],
            sync=facts.sync,
        )
        if name in self._lost:
            node.absent = {"energy": self._lost[name]}
        if last is not None:
            off = self._clock.get(name) or HalfWidths(last.round_trip_ns / 2e9, 0.0)
            node.clock = ClockOffset(
                offset_s=last.offset_ns / 1e9,
                uncertainty_s=off.total_s,
                round_trip_s=client.track.longest_round_trip_s,
                drift_ppm=client.track.drift_ppm,
                exchanges=len(client.track),
            )
        return node

    def _each(self, ask: Callable[[NodeClient], Answer]) -> dict[str, Answer | NodeError]:
        """Ask all agents at the same time."""

        def answered(client: NodeClient) -> Answer | NodeError:
            try:
                return ask(client)
            except NodeError as error:
                return error

        return dict(zip(self._clients, self._pool.map(answered, self._clients.values()), strict=True))

    def _note_lost(self, answers: Mapping[str, object], before: Mapping[str, str] | None = None) -> None:
        failed = {name: each for name, each in answers.items() if isinstance(each, NodeError)}
        self._lost = dict(before or {}) | {name: f"{_code(each)}: {each}" for name, each in failed.items()}

    def _unread(self, name: str) -> dict[str, DomainEnergy]:
        """A lost node's domains, without joules."""
        domains = self._clients[name].description.domains
        reason = self._lost[name]
        return {
            _domain(domain, name): unreadable(source, reason).model_copy(update={"node": name})
            for domain, source in domains.items()
        }

    def _stand_ins(self) -> dict[str, DomainEnergy]:
        """A domain without joules for each kind of device that is read elsewhere and not on a node."""
        of_node = {
            name: {Domain.parse(domain).device for domain in client.description.domains}
            for name, client in self._clients.items()
        }
        read = {"gpu", *(device for devices in of_node.values() for device in devices)}
        energy = {}
        for name in self._addresses:
            for device, prefix in STAND_IN.items():
                if device not in read or device in of_node.get(name, set()):
                    continue
                why = f"no meter of this node reads its {device}" if name in of_node else NO_METER
                absent = unreadable("none", f"{UNMETERED}: {why}")
                energy[f"{prefix}:{name}"] = absent.model_copy(update={"node": name})
        return energy


def _code(error: NodeError) -> str:
    return FAILED if isinstance(error, NodeRefusalError) else LOST


def _uuids(client: NodeClient) -> list[str]:
    return [str(gpu.uuid) for gpu in client.description.gpus]


def _domain(domain: str, node: str) -> str:
    """A card keeps its name, which is unique; another domain has the node's before its own."""
    parsed = Domain.parse(domain)
    return domain if parsed.is_gpu else f"{parsed.prefix}:{node}/{parsed.name}".removesuffix("/")


def _add(found: NodesWindow, name: str, reply: WindowReply, off: HalfWidths, seconds: float) -> None:
    """Put one node's answer to the others."""
    for domain, energy in reply.energy.items():
        clock_u_j = None
        if energy.gross_j is not None:
            step_w, mean_w = reply.edge_step_w.get(domain, 0.0), energy.gross_j / seconds
            # Both edges shifted alike cost the step; one more than the other costs power itself.
            clock_u_j = math.hypot(off.total_s * step_w, off.change_s * mean_w) / RECTANGLE
        update = {"node": name, "clock_u_j": clock_u_j}
        found.energy[_domain(domain, name)] = energy.model_copy(update=update)
    found.gpus |= reply.gpus
    found.counter_delay |= reply.counter_delay
    for gap in ("longest_sample_gap_s", "sample_gap_p99_s"):
        longest = max(
            (each for each in (getattr(found, gap), getattr(reply, gap)) if each is not None), default=None
        )
        setattr(found, gap, longest)
