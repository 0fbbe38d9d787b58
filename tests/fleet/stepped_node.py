"""A node whose power is a known step, whose clock is off, and whose network is slow one way."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bench.core.clocks import ClockSync
from bench.core.energy import DomainEnergy
from bench.core.machine import GpuFacts, SourceUsed
from bench.fleet.meter_agent import AgentServer, listening
from bench.meters.nodes.address import NodeAddress
from bench.meters.nodes.messages import MeterDescription, SamplesQuery, WindowQuery, WindowReply

TOKEN = "a-token-of-the-tests"


@dataclass
class SkewedClock:
    """CLOCK_MONOTONIC, seconds ahead and a little fast."""

    ahead_s: float = 0.0
    fast_ppm: float = 0.0
    origin_ns: int = field(default_factory=time.monotonic_ns)

    def __call__(self) -> int:
        return self.of(time.monotonic_ns())

    def of(self, true_ns: int) -> int:
        """What it shows at a true moment."""
        drift_ns = (true_ns - self.origin_ns) * self.fast_ppm / 1e6
        return true_ns + round(self.ahead_s * 1e9 + drift_ns)

    def true_ns(self, shown_ns: int) -> int:
        """The true moment at which it shows this."""
        since_ns = (shown_ns - self.ahead_s * 1e9 - self.origin_ns) / (1 + self.fast_ppm / 1e6)
        return self.origin_ns + round(since_ns)


@dataclass
class SteppedMeter:
    """A meter without a card: `idle_w`, and `load_w` between two true moments; its clock is its own."""

    clock: SkewedClock
    name: str = "A"
    idle_w: float = 100.0
    load_w: float = 400.0
    load_ns: tuple[int, int] = (0, 0)
    session: str = "first"
    others: tuple[str, ...] = ()
    fault: Exception | None = None
    """What a window raises."""

    @property
    def domain(self) -> str:
        return f"gpu:GPU-{self.name}"

    def joules(self, start_ns: int, end_ns: int) -> float:
        """The truth between two true moments."""
        loaded_ns = max(0, min(end_ns, self.load_ns[1]) - max(start_ns, self.load_ns[0]))
        return ((end_ns - start_ns) * self.idle_w + loaded_ns * (self.load_w - self.idle_w)) / 1e9

    def description(self) -> MeterDescription:
        return MeterDescription(
            session=self.session,
            joulebench="0",
            machine=f"machine {self.name}",
            machine_id=self.name,
            driver="1.0",
            gpus=[GpuFacts(uuid=f"GPU-{self.name}", name="NVIDIA Planted")],
            domains=dict.fromkeys((self.domain, *self.others), "nvml"),
            energy_sources={"nvml": SourceUsed(domains=[self.domain, *self.others], gain=None)},
            calibration={},
            margin_s=0.1,
            sync=ClockSync(synchronised=True, max_error_s=0.001, estimated_error_s=0.0),
        )

    def window(self, query: WindowQuery) -> WindowReply:
        if self.fault is not None:
            raise self.fault
        start_ns, end_ns = map(self.clock.true_ns, (query.start_ns, query.end_ns))
        joules = self.joules(start_ns, end_ns)
        side_ns = round(max(0.3, query.clock_u_s) * 1e9)

        def power_w(from_ns: int) -> float:
            return self.joules(from_ns, from_ns + side_ns) / side_ns * 1e9

        later = abs(power_w(end_ns) - power_w(start_ns))
        earlier = abs(power_w(start_ns - side_ns) - power_w(end_ns - side_ns))
        read = DomainEnergy(gross_j=joules, source="counter-padded", kind="measured", edge_u_j=0.0)
        return WindowReply(
            session=self.session,
            energy=dict.fromkeys((self.domain, *self.others), read),
            edge_step_w={self.domain: max(later, earlier)},
            gpus={},
            counter_delay={},
            longest_sample_gap_s=0.05,
            sample_gap_p99_s=0.05,
        )

    def samples(self, query: SamplesQuery) -> bytes:
        del query
        return b""


@contextmanager
def agent(meter: SteppedMeter, port: int = 0) -> Iterator[AgentServer]:
    """The real agent in threads of this process, with that meter and its clock."""
    with listening(meter, "127.0.0.1", port, TOKEN, meter.clock) as server:
        yield server


def address(name: str, port: int | None, role: str | None = None) -> NodeAddress:
    return NodeAddress(name, role, "127.0.0.1", port)


@contextmanager
def slow_way_back(port: int, delay_s: float) -> Iterator[int]:
    """A relay to a port whose answers take longer by `delay_s`; requests pass at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()
        threading.Thread(target=_relay, args=(listener, port, delay_s, ended), daemon=True).start()
        yield listener.getsockname()[1]
        ended.set()


def _relay(listener: socket.socket, port: int, delay_s: float, ended: threading.Event) -> None:
    with suppress(OSError):
        while not ended.is_set():
            here, _ = listener.accept()
            there = socket.create_connection(("127.0.0.1", port))
            for source, sink, wait_s in ((here, there, 0.0), (there, here, delay_s)):
                sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_pass_on, args=(source, sink, wait_s), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, wait_s: float) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            time.sleep(wait_s)
            sink.sendall(content)
        sink.shutdown(socket.SHUT_WR)


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what is needed."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.01)


if __name__ == "__main__":
    with listening(SteppedMeter(SkewedClock(3.7)), sys.argv[1], 0, TOKEN, SkewedClock(3.7)) as listened:
        print(listened.port, flush=True)
        sys.stdin.read()
