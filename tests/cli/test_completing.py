"""Completion in bash, zsh and fish: what they ask, what they are given, and a real bash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import yaml

from bench.__main__ import main
from bench.cli import COMPLETE, PROGRAM
from bench.cli.verbs import ALL, TOP
from tests.cli.commands import command
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "completion.md").read_text(encoding="utf-8")
CATALOGUE = yaml.safe_load((ROOT / "models.yaml").read_text(encoding="utf-8"))
SCRIPT = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from bench.__main__ import main
main()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The console script, as an installation would write it."""
    path = tmp_path / "bin" / PROGRAM
    path.parent.mkdir()
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


Proposed = Callable[[str], list[str]]


@pytest.fixture
def proposed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Proposed:
    """A function that tells what the program prints, in this process, where bash asks about a line."""

    def propose(line: str) -> list[str]:
        words = line.split(" ")
        asks = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1), COMPLETE: "bash_complete"}
        with monkeypatch.context() as shell:
            for name, value in asks.items():
                shell.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        found = capsys.readouterr()
        assert (ended.value.code, found.err) == (0, "")
        return [proposal.partition(",")[2] for proposal in found.out.splitlines() if proposal]

    return propose


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("joulebench ", [*TOP]),
        ("joulebench ro", ["roofline"]),
        ("joulebench footprint ", [*ALL["footprint"].verbs]),
        ("joulebench footprint re", ["record", "reproduce"]),
        ("joulebench run --bat", ["--batch"]),
        ("joulebench roofline show --js", ["--json"]),
        ("joulebench export mod", ["model-card"]),
        ("joulebench run --dtype fl", ["float16", "float32"]),
        ("joulebench footprint reproduce ", ["tomlinson2024"]),
        ("joulebench run ", [*CATALOGUE["suites"], *CATALOGUE["models"]]),
        ("joulebench run bloom-560m bloom-", [n for n in CATALOGUE["models"] if n.startswith("bloom-")][1:]),
        ("joulebench run --pair sdxl sdxl", ["sdxl", "sdxl-turbo"]),
        ("joulebench humans --un", []),
    ],
)
def test_verbs_options_models_and_suites_are_proposed(
    proposed: Proposed, line: str, expected: list[str]
) -> None:
    assert proposed(line) == expected


def test_the_catalogue_of_the_line_is_read_and_a_broken_one_is_not_a_traceback(
    proposed: Proposed, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("models: {one: {}, other: {}}\nsuites: {onward: {}}\n")
    assert proposed(f"joulebench run --models {mine} on") == ["onward", "one"]
    for broken in ("models: [", "[]", "models: 3", "\x00"):
        mine.write_text(broken)
        assert proposed(f"joulebench run --models {mine} on") == []
    assert proposed(f"joulebench run --models {tmp_path / 'none.yaml'} on") == []


def test_run_ids_are_proposed_where_no_file_begins_so(
    proposed: Proposed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("results/machine").mkdir(parents=True)
    for run_id in ("20260131t120000-3fa9c1", "20260201t120000-3fa9c2"):
        Path(f"results/machine/{run_id}.json").write_text(f'{{"run_id": "{run_id}"}}')
    assert proposed("joulebench show 202601") == ["20260131t120000-3fa9c1"]
    assert proposed("joulebench compare --results none la") == ["latest"]
    Path("20260131.json").touch()
    assert proposed("joulebench show 202601") == ["202601"]  # of the type file: the shell lists it


@pytest.mark.parametrize("path", [path for path, verb in ALL.items() if verb.module])
def test_every_verb_completes_every_argument_that_names_records_as_files(program: Path, path: str) -> None:
    """Records are named by path, and a shell that is given nothing proposes nothing."""
    for parameter in command(path).params:
        metavar = str(parameter.metavar)
        if isinstance(parameter, click.Argument) and ("RECORD" in metavar or "PATH" in metavar):
            context = click.Context(command(path))
            assert [item.type for item in parameter.shell_complete(context, "res")] == ["file"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_given_its_script(program: Path, shell: str) -> None:
    done = subprocess.run(
        [program],
        env=os.environ | {COMPLETE: f"{shell}_source"},
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    assert f"{COMPLETE}={shell}_complete" in done.stdout
    assert PROGRAM in done.stdout


@pytest.mark.parametrize(
    ("shell", "asks"),
    [
        (
            "bash",
            """
            complete -p joulebench >/dev/null || exit 1
            COMP_WORDS=(joulebench run tiny-); COMP_CWORD=2
            _joulebench_completion joulebench
            printf '%s\\n' "${COMPREPLY[@]}"
            """,
        ),
        (
            "fish",
            """
            complete --do-complete "joulebench run tiny-"
            """,
        ),
        (
            "zsh",
            """
            compadd() { print -l -- $completions }
            _describe() { print -l -- $completions_with_descriptions }
            functions _joulebench_completion >/dev/null || exit 1
            words=(joulebench run tiny-); CURRENT=3
            _joulebench_completion joulebench
            """,
        ),
    ],
)
def test_a_real_shell_completes_a_model(program: Path, shell: str, asks: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    (set_up,) = re.findall(rf"`([^`]*{shell}_source[^`]*)`", PAGE)
    before = "compdef() { }; zstyle() { }\n" if shell == "zsh" else ""  # of compinit
    program_text = before + set_up.replace("\\|", "|") + "\n" + asks
    done = subprocess.run(
        [shell, "-c", program_text],
        env=os.environ | {"PATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    expected = [name for name in CATALOGUE["models"] if name.startswith("tiny-")]
    assert [name for name in expected if name in done.stdout] == expected, done.stdout + done.stderr
    assert "sdxl" not in done.stdout


def test_the_program_is_a_script_of_the_installation() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {PROGRAM: "bench.__main__:main"}
