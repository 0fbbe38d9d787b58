"""Plans are plain data: they travel to another process and are the same there."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import load
from bench.core.provenance import CodeVersion
from bench.errors import MeterError, UsageError
from bench.machine.locks import CPU, holder
from bench.measurement.calibration_plan import CalibratedCard, CalibrationPlan
from bench.measurement.case_plan import CasePlan, PairPlan
from bench.measurement.context import RunContext
from bench.measurement.instruments import Instruments
from bench.measurement.outcome import RunOutcome
from bench.measurement.peaks_plan import PeaksPlan
from bench.measurement.run import Plan, run
from bench.measurement.watch_plan import WatchPlan
from bench.worker import producers
from bench.worker.checkouts import Checkout
from bench.worker.process import WorkerCode
from tests.measurement.spawned import Quiet
from tests.standin import StandIn
from tests.store.calibrations import known
from tests.support import factory
from tests.support.main_job.running import CATALOGUE

CODE = WorkerCode("/usr/bin/python", ("/somewhere",), "main")
CHECKOUT = Checkout(
    "main", "main (0123456)", CODE, CodeVersion(commit="0" * 40, dirty=False), {"torch": "2.9"}
)


def case() -> Planned:
    (item,) = plan(load(CATALOGUE), ["tiny-bloom"], Overrides(weights="random"))
    return item


@pytest.mark.parametrize(
    "planned",
    [
        CasePlan((case(),), gpus="0", remote_code=frozenset({"m"}), save_outputs=True),
        PairPlan(((case(), case()),), {"A": CHECKOUT, "B": CHECKOUT}, device="cpu"),
        CalibrationPlan(60.0, reference_s=5.0),
        PeaksPlan("0,1"),
        WatchPlan(1.0, 60.0),
        RunOutcome([(factory.record(), Path("a.json")), (factory.record(), None)], interrupted=True),
        [CalibratedCard(0, known(), Path("b.json"))],
    ],
    ids=lambda planned: type(planned).__name__,
)
def test_what_goes_to_another_process_and_what_comes_back_pickles(planned: object) -> None:
    assert pickle.loads(pickle.dumps(planned)) == planned


class Failing:
    """A plan that takes a lock, and fails."""

    def measure(self, instruments: Instruments, context: RunContext[Quiet]) -> None:
        instruments.lock([CPU])
        assert holder(CPU) is not None
        raise MeterError("It went wrong.")


def test_instruments_are_given_back_however_a_plan_ends(standin: StandIn, tmp_path: Path) -> None:
    standin.attach()
    failing: Plan[Quiet, None] = Failing()
    with pytest.raises(MeterError):
        run(failing, RunContext(tmp_path, Quiet()))
    assert holder(CPU) is None
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        pynvml.nvmlDeviceGetCount()


def test_two_checkouts_are_no_pair_of_what_is_made_elsewhere(
    standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.attach()
    monkeypatch.setattr(producers, "of", lambda workload: SimpleNamespace(LOADS_HERE=False))
    pair = PairPlan(((case(), case()),), {"A": CHECKOUT, "B": CHECKOUT}, device="cpu")
    with pytest.raises(UsageError, match="not made by a checkout's code"):
        run(pair, RunContext(tmp_path, Quiet()))


def test_sides_on_other_cards_make_no_pair_before_anything_is_loaded(
    standin_library: Path, tmp_path: Path
) -> None:
    standin = StandIn(standin_library, tmp_path / "four.control", gpu_count=4)
    standin.attach()
    three = replace(case(), case=replace(case().case, replicas=3))
    listener = Quiet()
    with pytest.raises(UsageError, match="A would be on GPU 0, 1, 2 and B on GPU 0, 1, 2, 3;"):
        run(PairPlan(((three, case()),), gpus="0,1,2,3", device="cuda"), RunContext(tmp_path, listener))
    standin.close()
    assert listener.stages == []
