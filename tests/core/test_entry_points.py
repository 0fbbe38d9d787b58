"""A package of the user's adds a modality and its engine: the example of the docs, installed and measured."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.core.record import Record
from bench.store import results

ROOT = Path(__file__).parents[2]
REMOVE = "python -m pip uninstall hum"
PITCH_HZ, SECONDS = 220.0, 0.02


def shown(language: str) -> str:
    """The block of this language under `An engine of your own`."""
    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    chapter = text.split("## An engine of your own")[1].split("\n## ")[0]
    (block,) = re.findall(rf"```{language}\n(.*?)```", chapter, flags=re.DOTALL)
    return str(block)


@dataclass(frozen=True)
class Installed:
    """A folder of installed packages with the example in it, and a command line that sees it."""

    folder: Path

    def __call__(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "bench", *arguments],
            check=False,
            cwd=self.folder,
            env=os.environ
            | {"PYTHONPATH": f"{self.folder / 'site'}{os.pathsep}{ROOT}", "TMPDIR": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == status, done.stderr + done.stdout
        return done


def install(folder: Path, module: str, points: str) -> Installed:
    """The files that pip would write."""
    about = folder / "site" / "hum-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: hum\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(points)
    (folder / "site" / "hum.py").write_text(module)
    (folder / "mine.yaml").write_text(shown("yaml"))
    make_weights, *_ = shown_commands()
    subprocess.run(make_weights, shell=True, cwd=folder, check=True)
    return Installed(folder)


def shown_commands() -> list[str]:
    """The lines that a reader types: the weights, the run, the list."""
    return [line.removeprefix("$ ") for line in shown("console").splitlines()]


def arguments(command: str) -> list[str]:
    """What follows `python -m bench` in a line that is shown."""
    python, option, module, *given = shlex.split(command)
    assert (python, option, module) == ("python", "-m", "bench")
    return given


def shown_points() -> str:
    groups = tomllib.loads(shown("toml"))["project"]["entry-points"]
    return "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in groups.items()
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(tmp_path_factory.mktemp("hum"), shown("python"), shown_points())


@pytest.fixture(scope="module")
def measured(installed: Installed) -> Record:
    _, run, _ = shown_commands()
    installed(*arguments(run))
    (path,) = (installed.folder / "results").glob("*/*.json")
    return results.read(path)


def test_the_example_has_at_most_40_lines() -> None:
    assert len(shown("python").splitlines()) <= 40


def test_the_example_is_measured(measured: Record) -> None:
    assert measured.status == "ok", measured.why
    assert (measured.case.engine, measured.case.unit) == ("hum", "hum_second")
    assert measured.case.weights.fingerprint == f"pitch {PITCH_HZ}"
    assert measured.case.prompts is not None
    assert measured.case.prompts["name"] == "audio"
    for block in measured.blocks:
        assert block.units == pytest.approx(block.items * SECONDS)
        assert "hum" in block.phases
    headline = measured.headline()
    assert headline is not None
    assert headline.value > 0


def test_its_flag_and_its_unit_are_on_the_command_line(installed: Installed, measured: Record) -> None:
    asked = ("run", "hums", "--models", "mine.yaml", "--weights", "path:.", "--device", "cpu")
    assert (
        "my-hum local weights float32 batch 2 3 s" in installed(*asked, "--seconds", "3", "--dry-run").stdout
    )
    _, _, listed = shown_commands()
    assert "hum_second" in installed(*arguments(listed)).stdout


def test_the_shipped_models_stay_what_they_are_beside_it(installed: Installed) -> None:
    asked = ("run", "zoo", "--models", str(ROOT / "models.yaml"), "--device", "cpu", "--dry-run")
    plain = subprocess.run(
        [sys.executable, "-m", "bench", *asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert installed(*asked).stdout == plain.stdout


@pytest.mark.parametrize(
    ("module", "name", "says", "way_out"),
    [
        ("import no_such_thing", "hum", "ModuleNotFoundError: No module named 'no_such_thing'.", REMOVE),
        ("MODALITY = 3", "hum", "hum:MODALITY is a int, not a Modality.", REMOVE),
        (shown("python"), "ham", "the modality is named hum, and its entry point ham.", REMOVE),
        (shown("python").replace('"hum"', '"text"'), "text", "there is a modality text already.", REMOVE),
        (
            shown("python").replace("seconds: ClipSeconds", "seconds: int"),
            "hum",
            "The modality hum defines the option seconds unlike another modality.",
            "Give it another name",
        ),
    ],
)
def test_a_broken_package_is_one_sentence(
    tmp_path: Path, module: str, name: str, says: str, way_out: str
) -> None:
    points = f"[joulebench.modalities]\n{name} = hum:MODALITY\n"
    done = install(tmp_path, module, points)("list", "--models", "mine.yaml", status=2)
    assert says in done.stderr
    assert way_out in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["text", "hum"])
def test_an_engine_of_a_taken_name_is_refused(tmp_path: Path, name: str) -> None:
    """It would make the output of another model's cases, and no record would say so."""
    bench = install(tmp_path, shown("python"), shown_points())
    other = tmp_path / "site" / "zither-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: zither\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text(f"[joulebench.engines]\n{name} = zither\n")
    done = bench("run", "my-hum", "--models", "mine.yaml", "--weights", "path:.", "--dry-run", status=2)
    assert (
        f"The engine {name} of the package zither cannot be used: there is an engine {name} already."
        in done.stderr
    )
    assert "python -m pip uninstall zither" in done.stderr
    assert done.stdout == ""


def test_what_its_engine_lacks_is_named_with_the_command(tmp_path: Path) -> None:
    bench = install(tmp_path, shown("python"), shown_points().replace("hum = hum\n", "hum = hum_engine\n"))
    (tmp_path / "site" / "hum_engine.py").write_text("import flutes\n")
    done = bench(
        *("run", "my-hum", "--models", "mine.yaml", "--weights", "path:.", "--device", "cpu"), status=2
    )
    said = done.stdout + done.stderr
    assert "The package flutes is not installed, and running a model needs it." in said
    assert "pip install flutes" in said
