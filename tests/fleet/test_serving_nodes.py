"""Nodes of one server: offsets between clocks, windows on them, what is absent where a node is."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from bench.core.energy import energy_sum
from bench.errors import PrerequisiteError, UsageError
from bench.fleet.meter_agent import listening
from bench.meters.nodes import client
from bench.meters.nodes.address import parse
from bench.meters.nodes.clock import Exchange, OffsetTrack, exchanged, quickest
from bench.meters.nodes.serving_nodes import FAILED, LOST, UNMETERED, ServingNodes
from tests.fleet.stepped_node import TOKEN, SkewedClock, SteppedMeter, address, agent, slow_way_back

SECOND = 1_000_000_000


@contextmanager
def serving(*meters: SteppedMeter, more: tuple[object, ...] = ()) -> Iterator[ServingNodes]:
    """Nodes A, B, ... with an agent each."""
    with ExitStack() as stack:
        places = [address(each.name, stack.enter_context(agent(each)).port) for each in meters]
        yield stack.enter_context(ServingNodes((*places, *more), TOKEN))  # type: ignore[arg-type]


def test_an_exchange_gives_offset_and_round_trip() -> None:
    found = exchanged(1_000, 5_400, 5_600, 2_000)  # 4,000 ahead, 400 there and 400 back
    assert found == Exchange(1_500, 4_000, 800)
    slow_back = exchanged(1_000, 5_400, 5_600, 4_000)
    assert abs(slow_back.offset_ns - 4_000) <= slow_back.round_trip_ns / 2
    assert quickest([slow_back, found]) is found


def test_moments_go_there_and_back_by_the_offset_of_their_time() -> None:
    track, clock = OffsetTrack(), SkewedClock(3.7, 50.0, origin_ns=100 * SECOND)
    for here_ns in (100 * SECOND, 200 * SECOND, 300 * SECOND):
        track.add(Exchange(here_ns, clock.of(here_ns) - here_ns, 200_000))
    for here_ns in (120 * SECOND, 250 * SECOND, 300 * SECOND):
        assert abs(track.there_ns(here_ns) - clock.of(here_ns)) < 2
    there = np.array([clock.of(each * SECOND) for each in (110, 190, 290)], dtype=np.int64)
    assert np.max(np.abs(track.here_ns(there) - np.array([110, 190, 290]) * SECOND)) < 1_000
    assert track.drift_ppm == pytest.approx(50.0, rel=1e-3)
    off = track.off_by(120 * SECOND, 180 * SECOND)
    assert (off.offset_s, off.change_s) == pytest.approx((1e-4, 5e-3))


@pytest.mark.parametrize("ahead_s", [3.7, -3.7])
def test_joules_of_a_skewed_clock_are_the_truths(ahead_s: float) -> None:
    """Power steps right at both edges of 12 s: 3.7 s of wrong offset would lose a quarter of the joules."""
    now_ns = time.monotonic_ns()
    start_ns, end_ns = now_ns - 12 * SECOND, now_ns
    # The clock drifts since 12 s ago, and is compared now: extrapolated over the whole window.
    clock = SkewedClock(ahead_s, 50.0, origin_ns=start_ns)
    meter = SteppedMeter(clock, load_ns=(start_ns, end_ns))
    with serving(meter) as nodes:
        energy = nodes.window(start_ns, end_ns).energy[meter.domain]
        described = nodes.described()["A"]
    assert energy.node == "A"
    assert energy.gross_j == pytest.approx(12 * meter.load_w, rel=0.01)
    assert energy.clock_u_j is not None
    assert described.clock is not None
    assert described.clock.offset_s == pytest.approx(ahead_s + 12 * 50e-6, abs=0.01)
    assert described.sync is not None
    assert described.sync.synchronised


def test_a_slow_way_back_widens_the_interval_by_as_much_as_it_may_err(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_ns = time.monotonic_ns()
    start_ns, end_ns = now_ns - 12 * SECOND, now_ns
    meter = SteppedMeter(SkewedClock(3.7), load_ns=(start_ns, end_ns))
    with ExitStack() as stack:
        quick = stack.enter_context(agent(meter)).port
        slow = stack.enter_context(slow_way_back(quick, 0.2))
        found = []
        for port in (quick, slow):
            monkeypatch.setattr(client, "EXCHANGES", 2 if port == slow else 8)
            with ServingNodes((address("A", port),), TOKEN) as nodes:
                energy = nodes.window(start_ns, end_ns).energy[meter.domain]
                clock = nodes.described()["A"].clock
                assert clock is not None
                found.append((energy, clock.uncertainty_s))
    (near, near_u_s), (far, far_u_s) = found
    assert near.gross_j is not None
    assert far.gross_j is not None
    truth_j = 12 * meter.load_w
    assert near_u_s < far_u_s
    assert far_u_s >= 0.1
    # Answers that are 0.2 s late shift the offset by 0.1 s, and 0.1 s of the step of 300 W are 30 J.
    assert truth_j - far.gross_j >= 20
    assert near.clock_u_j is not None
    assert far.clock_u_j is not None
    assert abs(far.gross_j - truth_j) <= np.sqrt(3) * far.clock_u_j, "the half width covers the error"
    assert far.clock_u_j > near.clock_u_j
    assert nodes.margin_s >= 0.1 + meter.description().margin_s, "the load is held for longer"


class TestAbsent:
    """A node that gives no joules makes every sum absent, never smaller."""

    def test_of_a_node_without_a_meter(self) -> None:
        meter = SteppedMeter(SkewedClock())
        unmetered = address("decode", None, "decode")
        with serving(meter, more=(unmetered,)) as nodes:
            now_ns = time.monotonic_ns()
            found = nodes.window(now_ns - SECOND, now_ns)
            described = nodes.described()["decode"]
        whole = energy_sum(found.energy, list(found.energy))
        assert set(found.energy) == {meter.domain, "gpu:decode"}
        assert whole.gross_j is None
        assert "gpu:decode: node-unmetered" in str(whole.reason)
        assert found.energy[meter.domain].gross_j == pytest.approx(100.0, rel=0.02)
        assert found.reason_codes == [UNMETERED]
        assert described.absent["clock"] == "this node has no meter"

    def test_of_a_node_that_is_lost_in_mid_run_and_comes_back_as_another(self) -> None:
        meters = [SteppedMeter(SkewedClock(), name) for name in "AB"]
        with ExitStack() as stack:
            first, second = (ExitStack(), ExitStack())
            stack.enter_context(first)
            stack.enter_context(second)
            ports = [first.enter_context(agent(meters[0])).port, second.enter_context(agent(meters[1])).port]
            places = tuple(address(each.name, port) for each, port in zip(meters, ports, strict=True))
            nodes = stack.enter_context(ServingNodes(places, TOKEN))
            now_ns = time.monotonic_ns()
            whole = nodes.window(now_ns - SECOND, now_ns)
            assert energy_sum(whole.energy, list(whole.energy)).gross_j == pytest.approx(200.0, rel=0.02)
            second.close()
            nodes._clients["B"].close()  # as its end does; this one's threads outlive the listener
            nodes.compare_clocks()
            lost = nodes.window(now_ns - SECOND, now_ns)
            assert set(lost.energy) == set(whole.energy), "no domain is dropped"
            assert energy_sum(lost.energy, list(lost.energy)).gross_j is None
            assert lost.energy["gpu:GPU-A"].gross_j == pytest.approx(100.0, rel=0.02)
            assert str(lost.energy["gpu:GPU-B"].reason).startswith("node-lost: no answer")
            assert lost.reason_codes == [LOST]
            assert "energy" in nodes.described()["B"].absent
            meters[1].session = "second"
            second.enter_context(agent(meters[1], ports[1]))
            nodes.compare_clocks()
            again = nodes.window(now_ns - SECOND, now_ns)
            assert str(again.energy["gpu:GPU-B"].reason) == "node-lost: its agent was started anew"
            nodes.compare_clocks()
            back = nodes.window(now_ns - SECOND, now_ns)
            assert energy_sum(back.energy, list(back.energy)).gross_j == pytest.approx(200.0, rel=0.02)

    def test_of_a_node_whose_agent_has_a_fault_of_its_own(self) -> None:
        meters = [SteppedMeter(SkewedClock(), name) for name in "AB"]
        with serving(*meters) as nodes:
            now_ns = time.monotonic_ns()
            meters[1].fault = KeyError("planted")
            found = nodes.window(now_ns - SECOND, now_ns)
            meters[1].fault = None
            nodes.compare_clocks()
            after = nodes.window(now_ns - SECOND, now_ns)
        failed = "node-failed: a fault of its agent: KeyError: 'planted'"
        assert found.energy["gpu:GPU-B"].reason == failed
        assert found.reason_codes == [FAILED]
        assert energy_sum(found.energy, list(found.energy)).gross_j is None
        assert after.reason_codes == [], "the agent goes on"
        assert energy_sum(after.energy, list(after.energy)).gross_j == pytest.approx(200.0, rel=0.02)

    def test_of_a_node_that_lacks_what_another_meters(self) -> None:
        reads_cpu = SteppedMeter(SkewedClock(), "A", others=("cpu:package-0",))
        with serving(reads_cpu, SteppedMeter(SkewedClock(), "B")) as nodes:
            now_ns = time.monotonic_ns()
            energy = nodes.window(now_ns - SECOND, now_ns).energy
        assert energy["cpu:A/package-0"].gross_j is not None
        assert energy["cpu:B"].gross_j is None
        assert "no meter of this node reads its cpu" in str(energy["cpu:B"].reason)


class TestRefused:
    """What an agent and its client refuse."""

    def test_a_wrong_token_is_refused_and_shown_nowhere(self) -> None:
        with agent(SteppedMeter(SkewedClock())) as server:
            nodes = ServingNodes((address("A", server.port),), "another-token-0123456")
            with pytest.raises(PrerequisiteError, match="the token is not that of") as caught, nodes:
                raise AssertionError("it was admitted")
        assert "another-token" not in str(caught.value)
        assert TOKEN not in str(caught.value)

    @pytest.mark.parametrize("token", ["", "short", "a token\nof two lines"])
    def test_an_agent_needs_a_token(self, token: str) -> None:
        with (
            pytest.raises(PrerequisiteError, match="JOULEBENCH_METER_TOKEN"),
            listening(SteppedMeter(SkewedClock()), "127.0.0.1", 0, token),
        ):
            raise AssertionError("it listens")

    def test_nothing_answers_there(self) -> None:
        with agent(SteppedMeter(SkewedClock())) as server:
            port = server.port
        with (
            pytest.raises(PrerequisiteError, match="metering agent of node A") as caught,
            ServingNodes((address("A", port),), TOKEN),
        ):
            raise AssertionError("it answered")
        assert "bench fleet meter" in str(caught.value.remedy)

    def test_one_card_of_two_nodes(self) -> None:
        meter = SteppedMeter(SkewedClock())
        with (
            agent(meter) as server,
            pytest.raises(PrerequisiteError, match="Two nodes meter GPU-A"),
            ServingNodes((address("a", server.port), address("b", server.port)), TOKEN),
        ):
            raise AssertionError("it was counted twice")

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/window", b'{"start_ns": 5, "end_ns": 1, "clock_u_s": 0}', 400),
            ("/window", b'{"start_ns": 0, "end_ns": 1, "clock_u_s": 1e9}', 400),
            (
                "/window",
                b'{"start_ns": 9223372036000000000, "end_ns": 9223372036000000009, "clock_u_s": 0}',
                400,
            ),
            ("/window", b"cos\nsystem\n(S'true'\ntR.", 400),
            ("/window", b'{"start_ns": NaN}', 400),
            ("/window", b"x" * 5000, 413),
            ("/etc/passwd", b"", 404),
            ("/samples", b'{"domain": "' + b"x" * 300 + b'", "start_ns": 0, "end_ns": 1}', 400),
        ],
    )
    def test_requests_that_make_no_sense(self, path: str, body: bytes, status: int) -> None:
        with agent(SteppedMeter(SkewedClock())) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            connection.request("POST", path, body, {"Authorization": f"Bearer {TOKEN}"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            connection.close()
        assert response.status == status
        assert set(answer) == {"error"}


class TestNamed:
    """Nodes on the command line."""

    def test_nodes_of_one_role_are_numbered(self) -> None:
        found = parse(("prefill=a:1", "decode=b:2", "decode=none", "[::1]:3"))
        assert [(each.name, each.role, each.text) for each in found] == [
            ("prefill", "prefill", "a:1"),
            ("decode-1", "decode", "b:2"),
            ("decode-2", "decode", "no meter"),
            ("node-1", None, "::1:3"),
        ]

    @pytest.mark.parametrize(
        "text", ["host", "host:0", "a:b", "http://a:1", "u:p@a:1", "Prefill=a:1", "=a:1"]
    )
    def test_other_texts_are_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="--node"):
            parse((text,))

    def test_one_agent_twice(self) -> None:
        with pytest.raises(UsageError, match="names a:1 twice"):
            parse(("prefill=a:1", "decode=a:1"))
