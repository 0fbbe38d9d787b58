"""A new modality is a file of the room, an engine and the shape of a model: nothing else branches on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import pytest

from bench.catalog.option_types import option_types
from bench.cli import modality_flags
from bench.core import modalities
from bench.core.modalities.image import ImageOptions
from bench.core.modalities.text import TextOptions
from bench.core.modality import CountedOutput, UnitCount
from bench.core.record import Record
from bench.errors import PrerequisiteError
from bench.store import results
from tests.core.command_line import CommandLine, command_line

ROOT = Path(__file__).parents[2]
TOYS = Path(__file__).parent / "toys"
ADDED = {
    "tone_modality.py": "core/modalities/tone.py",
    "tone_engine.py": "engines/tone.py",
    "sine.yaml": "data/architectures/sine.yaml",
}
SECONDS, BATCH = 5, 2


@dataclass(frozen=True)
class Bench:
    """The command line of a copy of the package with the files of tones in it, and nothing else touched."""

    folder: Path
    opened: CommandLine

    @staticmethod
    def environment(folder: Path) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "TMPDIR": str(folder)}

    def __call__(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.opened(*arguments, status=status)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("with-tones")
    shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    for toy, place in ADDED.items():
        assert not (folder / "bench" / place).exists()
        shutil.copy(TOYS / toy, folder / "bench" / place)
    shutil.copy(TOYS / "models.yaml", folder / "models.yaml")
    with command_line(folder, Bench.environment(folder)) as opened:
        yield Bench(folder, opened)


@pytest.fixture(scope="module")
def measured(bench: Bench) -> tuple[Path, Record]:
    """One case, measured, and where its record lies."""
    asked = (
        "run",
        "sine",
        "--weights",
        "random",
        "--device",
        "cpu",
        "--results",
        "results",
        "--save-outputs",
    )
    subprocess.run(
        [sys.executable, "-m", "bench", *asked],
        check=True,
        cwd=bench.folder,
        env=bench.environment(bench.folder),
        timeout=120,
    )
    (path,) = (bench.folder / "results").glob("*/*.json")
    return path, results.read(path)


def test_the_copy_is_what_runs(bench: Bench) -> None:
    code = "import bench, bench.core.modalities as m; print(bench.__file__, *m.names(), *m.units())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=bench.folder, capture_output=True, text=True, check=True
    )
    file, *names = done.stdout.split()
    assert Path(file).is_relative_to(bench.folder)
    assert names == [*modalities.names(), "tone", *modalities.units(), "tone_second"]


def test_seconds_of_tone_are_counted_and_have_joules(measured: tuple[Path, Record]) -> None:
    path, record = measured
    assert record.status == "ok", record.why
    assert (record.case.engine, record.case.unit) == ("tone", "tone_second")
    assert record.case.options == {"seconds": 5.0, "rate_hz": 24000, "in_chunks": False}
    for block in record.blocks:
        assert block.units == block.items * SECONDS == block.batches * BATCH * SECONDS
        assert (block.words, block.tokens) == (None, None)
        assert "synthesis" in block.phases
    headline = record.headline()
    assert headline is not None
    assert headline.value > 0
    with wave.open(str(path.parent / record.outputs[0])) as file:
        assert file.getnframes() / file.getframerate() == SECONDS


def test_what_is_shown_is_per_second_of_tone(bench: Bench, measured: tuple[Path, Record]) -> None:
    path, record = measured
    shown = bench("show", str(path)).stdout
    assert "J per tone_second, host" in shown
    assert "sine random weights float32 batch 2 5 s" in shown
    assert json.loads(bench("show", "--json", str(path)).stdout)["case"]["hash"] == record.case.hash
    listed = json.loads(bench("list", "--device", "cpu", "--json").stdout)
    assert [(row["model"], row["unit"], row["fits"]) for row in listed["models"]] == [
        ("sine", "tone_second", True)
    ]
    gate = bench("compare", str(path), str(path), "--fail-on", "tone_second:5kJ").stdout
    assert "pass: tone_second:5kJ" in gate
    assert "phases of tone are not counted" in bench("roofline", "show", "--json", str(path)).stdout
    bench("validate", str(path))
    bench("report", str(path), "-o", str(bench.folder / "report.html"))
    assert "tone_second" in (bench.folder / "report.html").read_text(encoding="utf-8")
    assert "tone_second" in bench("footprint", "record", str(path)).stdout


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        (("sine", "--seconds", "2", "--stereo"), 0, "sine random weights float32 batch 2 2 s"),
        (("sine", "--seconds", "0"), 2, "0.0 is not in the range 0<x<=600"),
        (
            ("sine", "--steps", "4"),
            2,
            "--steps means nothing here: it is a key of image, ",
        ),
        (("sine", "--compile"), 2, "--compile means nothing here: it is a key of text"),
        (("tones",), 0, "sine random weights float32 batch 2 5 s in_chunks"),
        (("--pair", "sine", "sine,stereo=true"), 0, "sine random weights"),
        (("--pair", "sine", "sine,stero=true"), 2, 'Did you mean "stereo"?'),
    ],
)
def test_its_options_are_on_the_command_line(
    bench: Bench, asked: tuple[str, ...], status: int, says: str
) -> None:
    done = bench("run", *asked, "--weights", "random", "--device", "cpu", "--dry-run", status=status)
    assert says in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "seconds: 5}",
            "second: 5}",
            'broken.yaml:26: models.sine.defaults.second: unknown key. Did you mean "',
        ),
        ("seconds: 5}", "seconds: 5, steps: 2}", "`steps` means nothing to a tone model."),
        ("seconds: 5}", "seconds: 601}", "models.sine.defaults.seconds: found 601, "),
        ("unit: tone_second", "unit: page", "models.sine.unit: a tone model does not make pages."),
        ("engine: tone", "engine: toen", ', tone. Did you mean "tone"?'),
        (", rate_hz: 24000", "", "defaults.tone.rate_hz: this key is missing."),
        ("  tone: {", "  toen: {", 'defaults.toen: unknown key. Did you mean "tone"?'),
    ],
)
def test_a_mistake_in_its_catalogue_is_shown_where_it_is(bench: Bench, old: str, new: str, says: str) -> None:
    text = (TOYS / "models.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (bench.folder / "broken.yaml").write_text(text.replace(old, new), encoding="utf-8")
    assert says in bench("list", "--models", "broken.yaml", status=2).stderr


def test_the_shipped_catalogue_loads_beside_it_with_the_same_hashes(bench: Bench) -> None:
    asked = ("run", "smoke", "--models", str(ROOT / "models.yaml"), "--device", "cpu", "--dry-run")
    done = subprocess.run(
        [sys.executable, "-m", "bench", *asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert bench(*asked).stdout == done.stdout
    assert done.stdout.count("random weights") == 3


def test_units_are_counted_by_modality() -> None:
    text, image = modalities.get("text"), modalities.get("image")
    made = CountedOutput(items=3, tokens=1000, words=500, seconds=None, tokens_per_word=None)
    assert text.count(made) == UnitCount(2.0, 500.0, "counted")
    assert text.count(made._replace(tokens_per_word=2.0)) == UnitCount(2.0, 500.0, "assumed")
    assert text.count(made._replace(words=None)) == UnitCount(None)
    assert image.count(made) == UnitCount(3.0)


def test_a_modality_is_found_by_name_unit_and_options() -> None:
    options: dict[str, Any] = {"new_tokens": 4}
    found = modalities.of_options(TextOptions.model_validate(options))
    assert found is modalities.get("text")
    assert modalities.of_unit("page") == (found,)
    with pytest.raises(KeyError):
        modalities.get("smell")


def test_each_modality_has_a_place_of_its_own_in_lists() -> None:
    places = [modality.order for modality in modalities.all_modalities()]
    assert places == list(range(1, len(places) + 1))


def test_an_option_of_two_modalities_is_one_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    both = (modalities.get("image"), modalities.get("video"))
    monkeypatch.setattr(modalities, "all_modalities", lambda: both)
    command = click.command("run")(modality_flags.add_flags(lambda: None))
    helps = {option.name: option.help for option in command.params if isinstance(option, click.Option)}
    assert helps["steps"] == "Image, video: denoising steps."
    of_image, of_video = ["task", "strength", "style_picture"], ["frames", "fps", "vae_tiling"]
    assert list(helps) == [
        "steps",
        "size",
        "guidance",
        "scheduler",
        "quantization",
        "offload",
        *of_image,
        *of_video,
    ]
    others = dict.fromkeys(
        ("steps", "guidance", "scheduler", "quantization", "offload", *of_image, *of_video)
    )
    assert modality_flags.keys_set(dict.fromkeys(helps) | {"size": {"width": 8}}) == {"width": 8, **others}


class OtherSteps(ImageOptions):
    steps: int


def test_an_option_that_means_another_thing_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = (modalities.get("image"), replace(modalities.get("image"), name="video", options=OtherSteps))
    monkeypatch.setattr(modalities, "all_modalities", lambda: both)
    with pytest.raises(PrerequisiteError, match="video defines the option steps unlike another modality"):
        option_types()
