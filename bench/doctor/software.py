"""The software that a run needs: extra packages, PyTorch's build, CodeCarbon and what gets in its way.

    list(packages())                # one finding a package, or one for all that are fit
    list(torch(answer, gpus=1))     # `answer` is what a probe in another process found

Nothing heavy is imported: versions are read from the packages' metadata, and PyTorch and CodeCarbon are asked
in a process of their own (`probes`). CodeCarbon heeds files and variables that someone may have set for other
work.
"""

from __future__ import annotations

import configparser
import contextlib
import importlib.metadata
import os
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import bench
from bench.catalog import loading
from bench.catalog.models import Catalogue
from bench.dependencies import install_command, package_version
from bench.doctor.findings import Finding
from bench.doctor.probes import ProbeAnswer
from bench.errors import CatalogError
from bench.meters.codecarbon import SETTINGS
from bench.meters.gpu import GpuDriverFacts

SOFTWARE, CATALOGUE = "software", "catalogue"
EXTRA = "run"
PROJECT_FILE = Path(bench.__file__).resolve().parents[1] / "pyproject.toml"

CONFIG_NAME = ".codecarbon.config"
GIVEN = {*SETTINGS, "country_iso_code", "gpu_ids"}
"""Settings that the meter always passes, so that neither file nor variable can change them."""
SMI_FOLDERS = ("/usr/bin", "/usr/local/bin", "/usr/local/nvidia/bin", "/usr/lib/wsl/lib", "/opt/bin")
"""Folders of nvidia-smi: distributions, container platforms, WSL, Flatcar."""


def catalogue(models: Path | None) -> tuple[Catalogue | None, Finding]:
    """The catalogue, if it is valid, and the findings about it."""
    try:
        path = loading.find(models)
        found = loading.load(path)
    except CatalogError as error:
        mistakes = error.message.splitlines()
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        text = f"Not valid: {mistakes[0]}{more}"
        option = f" --models {models}" if models else ""
        command = f"python -m bench list{option}"
        return None, Finding(CATALOGUE, "models", "missing", text, command, needed=True)
    text = f"{path} is valid: {len(found.models)} models, {len(found.suites)} suites."
    return found, Finding(CATALOGUE, "models", "ok", text)


def requirements() -> list[Requirement]:
    """Packages of the extra `run`: from the checkout if there is one, else as installed."""
    if PROJECT_FILE.is_file():
        project = tomllib.loads(PROJECT_FILE.read_text(encoding="utf-8"))["project"]
        return [Requirement(text) for text in project["optional-dependencies"][EXTRA]]
    parsed = [Requirement(text) for text in importlib.metadata.requires("joulebench") or ()]
    asked = [each for each in parsed if each.marker is not None]
    return [
        each
        for each in asked
        if each.marker and not each.marker.evaluate({"extra": ""}) and each.marker.evaluate({"extra": EXTRA})
    ]


def packages() -> Iterator[Finding]:
    """Whether the packages that make output are there, in versions that are known to work."""
    wanted = requirements()
    versions = {each.name: package_version(each.name) for each in wanted}
    command = install_command(EXTRA)
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        text = f"Not installed: {', '.join(missing)}. Nothing can be measured without the extra `{EXTRA}`."
        yield Finding(SOFTWARE, "run packages", "missing", text, command, needed=True)
    wrong = [
        f"{each.name} {version} (wanted: {each.specifier})"
        for each in wanted
        if (version := versions[each.name]) and not each.specifier.contains(version, prereleases=True)
    ]
    if wrong:
        text = f"Outside the versions that are known to work: {', '.join(wrong)}."
        yield Finding(SOFTWARE, "run packages", "warn", text, command)
    if not missing and not wrong:
        text = f"All {len(wanted)} packages of the extra `{EXTRA}` are installed, in versions known to work."
        yield Finding(SOFTWARE, "run packages", "ok", text)


def torch(answer: ProbeAnswer | None, gpus: int) -> Iterator[Finding]:
    """PyTorch's build, and whether it reaches the cards; `answer` is `None` where it is not installed."""
    version = package_version("torch")
    if version is None or answer is None:
        yield Finding(SOFTWARE, "PyTorch", "missing", "Not installed.", install_command(EXTRA), needed=True)
    elif answer.late:
        text = f"{version}; it did not import within {answer.limit_s:.0f} s, which a first import may take."
        yield Finding(
            SOFTWARE, "PyTorch", "info", text, "python -c 'import torch; print(torch.version.cuda)'"
        )
    elif answer.value is None:
        text = f"{version} does not import: {answer.error}."
        yield Finding(SOFTWARE, "PyTorch", "missing", text, install_command(EXTRA), needed=True)
    else:
        yield _torch_build(version, answer.value, gpus)


def _torch_build(version: str, found: dict[str, Any], gpus: int) -> Finding:
    if found["cuda"] is None:
        text = f"{version}, built without CUDA: the work runs on the CPU."
        if not gpus:
            return Finding(SOFTWARE, "PyTorch", "info", text)
        command = "python -m pip install --force-reinstall torch"
        return Finding(SOFTWARE, "PyTorch", "warn", f"{text} The cards can only be metered.", command)
    text = f"{version}, built with CUDA {found['cuda']}"
    if found["available"]:
        return Finding(SOFTWARE, "PyTorch", "ok", f"{text}; it can use {found['devices']} of the cards.")
    if not gpus:
        return Finding(SOFTWARE, "PyTorch", "info", f"{text}; this machine has no card for it to use.")
    text = f"{text}, but it cannot use the cards: the driver is too old for that CUDA, or they are hidden."
    return Finding(SOFTWARE, "PyTorch", "warn", text, "python -c 'import torch; torch.cuda.init()'")


def codecarbon(answer: ProbeAnswer) -> Iterator[Finding]:
    """Whether CodeCarbon works, and how it gets at each of its figures."""
    name = "CodeCarbon"
    if answer.late:
        text = f"It did not start within {answer.limit_s:.0f} s; on a busy machine that may be the load."
        yield Finding(SOFTWARE, name, "warn", text)
        return
    if answer.value is None:
        text = f"It does not work here: {answer.error}. Every window needs it."
        yield Finding(
            SOFTWARE, name, "missing", text, "python -m pip install --upgrade codecarbon", needed=True
        )
        return
    found = answer.value
    cpu = {"intel_rapl": "RAPL", "cpu_load": "a curve of CPU load", "constant": "a constant"}
    mode = cpu.get(str(found["cpu_mode"]), str(found["cpu_mode"]))
    broken = {part: str(why).removeprefix("CodeCarbon broke: ") for part, why in found["broken"].items()}
    text = f"CPU: {mode}; memory: {'a constant guess' if found['ram'] else 'none'}"
    if "host" in broken:
        text = f"{found['version']} breaks: {broken['host']}. CPU and memory are not estimated."
        yield Finding(SOFTWARE, name, "missing", text)
    elif "cards" in broken:
        text = f"{found['version']} works for the host ({text}), not for cards, because it asks all of them: "
        yield Finding(SOFTWARE, name, "warn", f"{text}{broken['cards']}. The cross-check is left out.")
    else:
        text = f"{found['version']} works. {text}; GPU: {'NVML' if found['gpu'] else 'none'}."
        yield Finding(SOFTWARE, name, "ok", text)
    if found["unknown_country"]:
        text = f"defaults.country of the catalogue: {found['unknown_country']}"
        yield Finding(CATALOGUE, "country", "missing", text, "python -m bench run --grid USA", needed=True)


def smi(facts: GpuDriverFacts, program: str, driver: str | None) -> Iterator[Finding]:
    """CodeCarbon starts a vendor's program (nvidia-smi) before it believes in its cards."""
    if shutil.which(program):
        yield Finding(SOFTWARE, program, "ok", "On PATH, so CodeCarbon sees the cards and can cross-check.")
        return
    text = "Not on PATH: CodeCarbon then sees no GPU, and the cross-check of every window is lost."
    folder = next((folder for folder in SMI_FOLDERS if Path(folder, program).is_file()), None)
    branch, install = (driver or "").partition(".")[0], facts.commands.get(program)
    install = install.format(branch=branch) if install and branch else None
    command = f'export PATH="$PATH:{folder}"' if folder else install
    yield Finding(SOFTWARE, program, "warn", text, command)


def codecarbon_settings() -> Iterator[Finding]:
    """Files and variables with which someone has set up CodeCarbon for other work."""
    name, found = "CodeCarbon settings", False
    folders = (*_home(), Path.cwd())
    for file in dict.fromkeys(folder / CONFIG_NAME for folder in folders):
        if not file.is_file():
            continue
        found, aside = True, f"mv {file} {file}.aside"
        parser = configparser.ConfigParser()
        try:
            parser.read(file, encoding="utf-8")
            keys = list(parser["codecarbon"]) if parser.has_section("codecarbon") else []
        except (configparser.Error, OSError, ValueError) as error:
            text = f"{file} cannot be read, and CodeCarbon stumbles over it: {str(error).splitlines()[0]}."
            yield Finding(SOFTWARE, name, "warn", text, aside)
            continue
        yield _settings(f"{file} sets", keys, aside)
    variables = sorted(key for key in os.environ if key.lower().startswith("codecarbon_"))
    if variables:
        keys = [variable.lower().removeprefix("codecarbon_") for variable in variables]
        yield _settings("The environment sets", keys, f"unset {' '.join(variables)}")
    elif not found:
        yield Finding(SOFTWARE, name, "ok", f"No {CONFIG_NAME} and no CODECARBON_ variable is in the way.")


def _home() -> Iterator[Path]:
    """This user's home, where there is one: containers run as users without."""
    with contextlib.suppress(RuntimeError):
        yield Path.home()


def _settings(what: str, keys: Sequence[str], command: str) -> Finding:
    """The names of settings, never their values: some of them are keys to services."""
    own = [key for key in keys if key not in GIVEN]
    if own:
        text = f"{what} {', '.join(own)} for CodeCarbon, which joulebench does not set itself."
        return Finding(SOFTWARE, "CodeCarbon settings", "warn", text, command)
    text = f"{what} {', '.join(keys) or 'nothing'} for CodeCarbon; joulebench overrides it."
    return Finding(SOFTWARE, "CodeCarbon settings", "info", text)
