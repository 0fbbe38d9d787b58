"""Other distributions' modules named pynvml: named, with the commands that mend it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pynvml
import pytest

from bench.errors import PrerequisiteError
from bench.meters.binding import NEEDED, refuse_another_pynvml
from tests.support.processes import ROOT

LIKE_OLD = "NVML_ERROR_UNKNOWN = 999\nclass NVMLError(Exception): ...\n"


def site(folder: Path, distributions: dict[str, str], module: str = "pynvml.py") -> Path:
    """A folder of packages: a module, and distributions (name to version) that all list it."""
    path = folder / module
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LIKE_OLD)
    for name, version in distributions.items():
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "RECORD").write_text(f"{module},,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    return folder


def refusal(folder: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is said of the module that lies there."""
    monkeypatch.syspath_prepend(folder)
    loaded = ModuleType("pynvml")
    loaded.__file__ = str(folder / module)
    with pytest.raises(PrerequisiteError) as raised:
        refuse_another_pynvml(loaded)
    return str(raised.value)


def test_that_of_nvidia_ml_py_is_taken() -> None:
    refuse_another_pynvml(pynvml)


@pytest.mark.parametrize("name", NEEDED)
def test_a_module_that_lacks_one_thing_is_refused(name: str) -> None:
    module = ModuleType("pynvml")
    module.__file__ = pynvml.__file__
    for other in set(NEEDED) - {name}:
        setattr(module, other, None)
    with pytest.raises(PrerequisiteError):
        refuse_another_pynvml(module)


@pytest.mark.parametrize("module", ["pynvml.py", "pynvml/__init__.py"])
def test_another_distribution_is_named_and_removed(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = refusal(site(tmp_path, {"pynvml": "11.4.1"}, module), module, monkeypatch)
    assert f"{(tmp_path / module).parent} belongs to pynvml 11.4.1," in text
    assert "pip uninstall --yes pynvml && python -m pip install --force-reinstall" in text


def test_of_two_that_lie_over_one_another_the_other_one_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site(tmp_path, {"nvidia-ml-py": "13.580.82", "nvidia-ml-py3": "7.352.0"})
    text = refusal(folder, "pynvml.py", monkeypatch)
    assert "belongs to nvidia-ml-py3 7.352.0," in text
    assert "uninstall --yes nvidia-ml-py3 &&" in text


def test_an_old_one_of_the_right_distribution_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = refusal(site(tmp_path, {"nvidia-ml-py": "11.450.51"}), "pynvml.py", monkeypatch)
    assert "belongs to nvidia-ml-py 11.450.51," in text
    assert "uninstall" not in text


def test_a_file_of_nobody_is_moved_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal(site(tmp_path, {}), "pynvml.py", monkeypatch)
    assert "belongs to no installed distribution" in text
    assert f"mv {tmp_path / 'pynvml.py'} " in text


@pytest.mark.parametrize("verb", [("list",), ("doctor",), ("watch", "--once"), ("run", "smoke", "--dry-run")])
def test_every_verb_that_meters_ends_in_that_sentence(
    tmp_path: Path, verb: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = site(tmp_path, {"pynvml": "11.4.1"}, "pynvml/__init__.py")
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{ROOT}")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench", *verb], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: The module pynvml in ")
    assert "belongs to pynvml 11.4.1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
