"""The batch script runs under a shell that plays Slurm; sbatch is asked and its refusal passed on."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.cli.fleet.programs import program


def test_each_task_of_an_array_takes_its_part_and_names_its_cards(
    typed: Typed, programs: Path, tmp_path: Path
) -> None:
    program(programs, "srun", 'exec "$@"')
    program(programs, "my python", 'printf "%s\\n" "$@"')
    asked = [
        "fleet",
        "slurm",
        "paper",
        "--gpu",
        "h100:8",
        "--parts",
        "12",
        "--python",
        programs / "my python",
    ]
    done = typed(
        *asked, "--results", tmp_path / "shared results", "--sbatch=--partition=gpu", "--run=--quick"
    )
    assert done.status == 0
    lines = [shlex.split(line) for line in done.out.splitlines() if line.startswith("#SBATCH")]
    options = [option for _, option in lines]
    assert f"--output={tmp_path / 'shared results'}/slurm/%x-%A-%a.log" in options
    assert {"--array=1-12", "--gpus-per-node=h100:8", "--exclusive", "--partition=gpu"} <= set(options)
    ran = subprocess.run(
        ["bash"],
        input=done.out,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"SLURM_ARRAY_TASK_ID": "3"},
    )
    words = ran.stdout.splitlines()
    assert words[:4] == ["-m", "bench", "run", "paper"]
    assert words[4:] == [
        *("--resume", "--results", str(tmp_path / "shared results"), "--expect-gpu", "h100:8"),
        *("--quick", "--part", "3/12"),
    ]


def test_every_node_measures_all_cases_where_no_parts_are_asked_for(typed: Typed) -> None:
    done = typed("fleet", "slurm", "sdxl", "--nodes", "4", "--container", "image.sqsh")
    assert "#SBATCH --nodes=4\n" in done.out
    assert "--array" not in done.out
    assert "--container-image=image.sqsh" in done.out
    both = typed("fleet", "slurm", "sdxl", "--nodes", "4", "--parts", "2")
    assert both.status == 2
    assert "Give one of them" in both.err


def test_sbatch_gets_the_script_and_its_refusal_is_one_sentence(
    typed: Typed, programs: Path, tmp_path: Path
) -> None:
    program(programs, "sbatch", f"cat > {tmp_path}/got; echo Submitted batch job 7")
    asked = ("fleet", "slurm", "paper", "--submit", "--results", tmp_path / "results")
    assert typed(*asked).out == "Submitted batch job 7\n"
    assert (tmp_path / "got").read_text(encoding="utf-8").startswith("#!/bin/bash\n#SBATCH")
    assert (tmp_path / "results" / "slurm").is_dir()
    program(programs, "sbatch", "cat > /dev/null; echo 'sbatch: error: invalid partition' >&2; exit 1")
    refused = typed(*asked)
    assert refused.status == 2
    assert "sbatch refused the job: sbatch: error: invalid partition." in refused.err


def test_without_slurm_the_script_can_be_written(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    refused = typed("fleet", "slurm", "paper", "--submit", "--results", tmp_path)
    assert refused.status == 2
    assert "sbatch is not installed here" in refused.err
    assert typed("fleet", "slurm", "paper", "-o", tmp_path / "job.sh").status == 0
    assert (tmp_path / "job.sh").read_text(encoding="utf-8").startswith("#!/bin/bash\n")
