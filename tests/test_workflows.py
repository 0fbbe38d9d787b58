"""The workflows call what exists, run nobody else's code on a GPU machine, and their gate can fail."""

from __future__ import annotations

import os
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.cli.export_formats import FORMATS
from tests.cli.commands import find
from tests.support.processes import ROOT
from tests.support.sample import pair, save

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.yml")}
ON = True
"""YAML 1.1 reads the key `on` as a truth value."""


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, workflow in WORKFLOWS.items():
        for job, content in workflow["jobs"].items():
            yield name, job, content


def shell() -> dict[str, str]:
    """Every `run` there is, continued lines joined."""
    return {
        f"{name}:{job}:{index}": step["run"].replace("\\\n", " ")
        for name, job, content in jobs()
        for index, step in enumerate(content["steps"])
        if "run" in step
    }


def calls() -> list[list[str]]:
    """The words of every call of `python -m bench`, from the verb on."""
    found = []
    for text in shell().values():
        for match in re.finditer(r"(?:-m bench|scripts/run) ([^|;&>)\n]+)", text):
            verb = [] if match[0].startswith("-m") else ["run"]
            found.append([*verb, *shlex.split(match[1])])
    return found


def on_our_machines(job: dict[str, Any]) -> bool:
    return "self-hosted" in job["runs-on"]


def test_both_lanes_are_there() -> None:
    assert {name: {on_our_machines(job) for at, _, job in jobs() if at == name} for name in WORKFLOWS} == {
        "checks.yml": {False},
        "dependencies.yml": {False},
        "energy.yml": {True},
    }


def test_nobody_elses_code_runs_on_our_machines() -> None:
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {"contents": "read"}
        if any(on_our_machines(job) for at, _, job in jobs() if at == name):
            assert set(workflow[ON]) == {"push", "schedule", "workflow_dispatch"}
            assert workflow[ON]["push"]["branches"] == ["main"]


def test_one_job_a_gpu_and_a_machine_that_fails_leaves_the_others_running() -> None:
    (job,) = (job for _, _, job in jobs() if on_our_machines(job))
    assert job["strategy"]["fail-fast"] is False
    assert job["runs-on"] == ["self-hosted", "${{ matrix.machine.name }}"]
    assert job["concurrency"]["group"] == "gpu-${{ matrix.machine.name }}-${{ matrix.machine.gpu }}"
    assert job["concurrency"]["cancel-in-progress"] is False


def test_verbs_options_formats_and_scripts_exist() -> None:
    assert len(calls()) >= 8
    for call in calls():
        context, words = find(call)
        options = {name for parameter in context.command.params for name in parameter.opts}
        unknown = [word for word in words if word.startswith("-") and word not in options]
        assert not unknown, f"{call}: {unknown}"
        assert call[0] != "export" or words[0] in FORMATS
    scripts = {found for text in shell().values() for found in re.findall(r"(?<!\w)scripts/[\w-]+", text)}
    assert scripts == {
        f"scripts/{name}" for name in ("dependencies", "docs", "package", "run", "setup", "test")
    }
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)


def test_dependencies_are_looked_at_each_week() -> None:
    workflow = WORKFLOWS["dependencies.yml"]
    ((*_, weekday),) = (each["cron"].split() for each in workflow[ON]["schedule"])
    assert weekday.isdecimal()
    ranges, audit = workflow["jobs"]["ranges"], workflow["jobs"]["audit"]
    assert {each["end"] for each in ranges["strategy"]["matrix"]["include"]} == {"lowest", "newest"}
    (tested,) = (step for step in ranges["steps"] if "run" in step)
    assert (tested["run"], tested["env"]) == ('scripts/dependencies "$END"', {"END": "${{ matrix.end }}"})
    (looked,) = (step for step in audit["steps"] if "run" in step)
    assert looked["run"] == "scripts/dependencies audit"
    assert not [step for step in (tested, looked) if step.get("continue-on-error")]
    assert {"build/sbom.json", "build/licences.txt"} <= set(audit["steps"][-1]["with"]["path"].split())


def test_text_from_outside_is_data_and_every_line_is_bash() -> None:
    for where, text in shell().items():
        assert "${{" not in text, f"{where}: hand it over in `env`, or it is run as code"
        done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), where


def test_variables_are_documented() -> None:
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    used = {name for path in FOLDER.glob("*.yml") for name in re.findall(r"vars\.(\w+)", path.read_text())}
    assert len(used) == 6
    assert not [name for name in used if f"| `{name}` |" not in page]


def step_of_the_gpu_lane(begins: str) -> str:
    (job,) = (job for _, _, job in jobs() if on_our_machines(job))
    (step,) = (step for step in job["steps"] if step.get("name", "").startswith(begins))
    return str(step["run"])


def bash(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does."""
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env=os.environ | environment,
        text=True,
        capture_output=True,
        check=False,
    )


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(("ends", "status"), [(0, 0), (3, 0), (1, 1), (2, 1)])
def test_base_and_head_are_measured_in_turns_and_a_wide_interval_is_left_to_the_gate(
    tmp_path: Path, ends: int, status: int
) -> None:
    executable(tmp_path / "head" / ".venv" / "bin" / "python", f'echo "$@" >> log; exit {ends}')
    done = bash(
        step_of_the_gpu_lane("measure"), tmp_path, MODELS="a b c", GPU="0", OPTIONS="--weights random"
    )
    assert done.returncode == status, done.stderr
    asked = "run a b c --pair base head --gpus 0 --results records/pairs --weights random"
    assert (tmp_path / "log").read_text() == f"-m bench {asked}\n"


@pytest.mark.parametrize(
    ("head_j", "strict", "status", "said"),
    [(300.0, "", 0, ""), (330.0, "", 1, ""), (313.0, "", 0, "::warning"), (313.0, "--strict", 1, "")],
)
def test_gate_ends_as_it_should(tmp_path: Path, head_j: float, strict: str, status: int, said: str) -> None:
    for side, kept in zip("ab", pair(300.0, head_j, random.Random(7)), strict=True):
        save(tmp_path / "records" / "pairs" / "h200" / f"{side}.json", kept)
    executable(tmp_path / "head" / ".venv" / "bin" / "python", f'exec {shlex.quote(sys.executable)} "$@"')
    gate = step_of_the_gpu_lane("gate")
    done = bash(gate, tmp_path, PYTHONPATH=str(ROOT), LIMIT="energy:5%", STRICT=strict)
    assert done.returncode == status, done.stdout + done.stderr
    assert "J/page" in done.stdout
    assert ("::warning" in done.stdout) == bool(said)


def test_the_lane_for_other_projects_is_a_workflow_with_options_of_the_plugin() -> None:
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    (lane,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.S)
    workflow = yaml.safe_load(lane)
    assert set(workflow[ON]) == {"push"}
    assert workflow["permissions"] == {"contents": "read"}
    lines = "\n".join(step.get("run", "") for step in workflow["jobs"]["energy"]["steps"])
    assert "${{" not in lines
    assert subprocess.run(["bash", "-n"], input=lines, text=True, check=False).returncode == 0
    plugin = "".join(path.read_text() for path in (ROOT / "bench" / "pytest_plugin").glob("*.py"))
    plugin += (ROOT / "joulebench_pytest.py").read_text(encoding="utf-8")
    options = set(re.findall(r"--energy-[a-z]+", lines))
    assert options == {"--energy-save", "--energy-compare", "--energy-fail", "--energy-storage"}
    assert not [option for option in options if f'"{option}"' not in plugin]


@pytest.mark.parametrize(
    ("base", "head", "status"),
    [
        ("exit 5", 0, 0),
        ("exit 5", 1, 1),
        ('mkdir -p "$RUNNER_TEMP/energy"', 1, 1),
        ('mkdir -p "$RUNNER_TEMP/energy"', 3, 0),
    ],
)
def test_the_lane_by_hand_outlives_a_base_without_tests_of_energy(
    tmp_path: Path, base: str, head: int, status: int
) -> None:
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    (lane,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.S)
    text = yaml.safe_load(lane)["jobs"]["energy"]["steps"][-1]["run"]
    executable(tmp_path / "base" / ".venv" / "bin" / "pytest", base)
    executable(tmp_path / "head" / ".venv" / "bin" / "pytest", f'echo "$@" > log; exit {head}')
    done = bash(text, tmp_path / "head", RUNNER_TEMP=str(tmp_path))
    assert done.returncode == status, done.stdout + done.stderr
    asked = (tmp_path / "head" / "log").read_text()
    assert ("--energy-compare" in asked) == (base != "exit 5")
