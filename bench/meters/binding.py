"""Check that the module `pynvml` is that of nvidia-ml-py: other distributions have one of the same name."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from types import ModuleType

from bench.errors import PrerequisiteError

OURS = "nvidia-ml-py"
NEEDED = ("NVMLLibraryMismatchError", "nvmlDeviceGetFieldValues", "NVML_ERROR_NO_DATA", "nvmlErrorString")
"""Present in nvidia-ml-py 12.560; the first is missing in pynvml 11.4 and 11.5 and in nvidia-ml-py3 7.352."""


def refuse_another_pynvml(module: ModuleType) -> None:
    """Raise PrerequisiteError, with the distribution it is of, where a `pynvml` lacks what is needed."""
    if all(hasattr(module, name) for name in NEEDED):
        return
    file = Path(module.__file__ or "a module without a file")
    owners = _owners(file)
    others = [name for name in owners if not name.startswith(f"{OURS} ")]
    named = " and ".join(others or owners) or "no installed distribution"
    remedy = f'python -m pip install --force-reinstall "{OURS}>=12.560.30"'
    if others:
        remove = " ".join(name.split()[0] for name in others)
        remedy = f"python -m pip uninstall --yes {remove} && {remedy}"
    elif not owners:
        remedy = f"mv {file} {file}.other && {remedy}"
    raise PrerequisiteError(
        f"The module pynvml in {file.parent} belongs to {named}, and joulebench needs that of {OURS}.",
        f"Mend it: {remedy}",
    )


def _owners(file: Path) -> list[str]:
    """Name and version of each distribution that lists the file; pip installs several over one another."""
    owners = {
        f"{distribution.metadata['Name']} {distribution.version}": None
        for distribution in importlib.metadata.distributions()
        for listed in distribution.files or ()
        if listed.name == file.name and listed.parts[0] in ("pynvml", "pynvml.py")
        if Path(str(listed.locate())).resolve() == file.resolve()
    }
    return list(owners)
