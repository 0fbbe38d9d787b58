"""What a model can do to its worker: it costs its case, in one sentence, and the next case is untouched."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.worker.deadline import VARIABLE
from scripts.torture.kill import processes_of
from tests.support.main_job.metered import IDLE_VARIABLE
from tests.support.main_job.running import Done, environment, run

SPOILT_BATCH = 4
TWO_CASES = ["tiny-bloom", "--device", "cpu", "--sweep", f"batch={SPOILT_BATCH},1"]
FAULTS = {
    "address-space": "",
    "crash": "by signal 11 (SIGSEGV) while it handled Generate",
    "endless": "was not done with Generate after 2 s",
    "deadlock": "did nothing for 5 s while it handled LoadModel",
}
"""A fault, and what is said of it; out of memory is tried again with half the batch, which fits."""


@pytest.mark.slow
def test_a_fault_of_a_model_costs_its_case_and_leaves_the_next_one_whole(tmp_path: Path) -> None:
    def play(fault: str) -> Done:
        temporary = tmp_path / fault
        variables = environment(fault=f"{fault}:{SPOILT_BATCH}", pretend=True, temporary=temporary)
        variables |= {IDLE_VARIABLE: "5", VARIABLE: "2"}
        done = run(TWO_CASES, tmp_path / f"{fault}-results", variables)
        assert not processes_of(temporary), "memory is free again"
        return done

    with ThreadPoolExecutor() as pool:
        endings = dict(zip(FAULTS, pool.map(play, FAULTS), strict=True))
    for fault, done in endings.items():
        assert "Traceback" not in done.err + done.out, fault
        spoilt, other = sorted(done.records, key=lambda record: -(record.requested or record.case).batch)
        assert other.status == "ok", f"{fault}: {done.err}"
        if fault == "address-space":
            assert done.status == 0, done.err
            assert (spoilt.status, spoilt.case.batch) == ("ok", SPOILT_BATCH // 2)
            assert f"Out of memory with batch {SPOILT_BATCH}; trying {SPOILT_BATCH // 2}." in done.err
        else:
            assert done.status == 1, f"{fault}: {done.err}"
            assert spoilt.status == "failed"
            assert spoilt.failure is not None
            assert FAULTS[fault] in spoilt.failure.message
