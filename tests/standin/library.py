"""Compiling `nvml.c`, and loading it: as the NVML of a process, or only for the truth that it exports."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.standin.control import StandInError, mirrored_layout

SONAME = "libnvidia-ml.so.1"
TRUTH_LIBRARY = "libstandin-truth.so"


def build(folder: Path) -> Path:
    """Compile the stand-in into `folder` and return the directory that belongs into LD_LIBRARY_PATH.

    Beside the library lie `libstandin-truth.so`, the same code under a name that hides no real NVML, and
    `bin/nvidia-smi`, which CodeCarbon starts before it believes in a GPU.
    """
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise StandInError(
            "The stand-in NVML needs a C compiler: install one, e.g. with `apt-get install gcc`."
        )
    folder.mkdir(parents=True, exist_ok=True)
    source, compiled = Path(__file__).with_name("nvml.c"), folder / "nvml.o"
    flags = ["-std=gnu11", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"]
    _compile([compiler, *flags, "-c", str(source), "-o", str(compiled)])
    for name in (SONAME, TRUTH_LIBRARY):
        linked = [
            "-shared",
            f"-Wl,-soname,{name}",
            str(compiled),
            "-o",
            str(folder / name),
            "-lm",
            "-pthread",
        ]
        _compile([compiler, *linked])
    tool = folder / "bin" / "nvidia-smi"
    tool.parent.mkdir(exist_ok=True)
    tool.write_text("#!/bin/sh\n")  # an entirely empty file cannot be started without a shell
    tool.chmod(0o755)
    return folder


def _compile(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StandInError(f"`{' '.join(command)}` failed:\n{done.stderr}")


def truth_library(library: Path) -> ctypes.CDLL:
    truth = ctypes.CDLL(str(library / TRUTH_LIBRARY))
    truth.standin_layout.restype = ctypes.c_int64
    compiled = [truth.standin_layout(i) for i in range(len(mirrored_layout()))]
    if compiled != mirrored_layout():
        raise StandInError(f"nvml.c and its mirror differ: {compiled} in C, {mirrored_layout()} in Python.")
    truth.standin_open.argtypes = [ctypes.c_char_p]
    truth.standin_open.restype = ctypes.c_void_p
    truth.standin_close.argtypes = [ctypes.c_void_p]
    truth.standin_close.restype = None
    truth.standin_true_energy_j.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    truth.standin_true_energy_j.restype = ctypes.c_double
    truth.standin_true_power_w.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int64]
    truth.standin_true_power_w.restype = ctypes.c_double
    truth.standin_counter_mj.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int64)]
    truth.standin_counter_mj.restype = ctypes.c_double
    return truth


def nvml_of_this_process(library: Path) -> ctypes.CDLL:
    """What the soname stands for here: an earlier stand-in, or else this one, loaded by its full path."""
    try:
        loaded = ctypes.CDLL(SONAME, mode=os.RTLD_NOLOAD | ctypes.RTLD_GLOBAL)
    except OSError:
        return ctypes.CDLL(str(library / SONAME), mode=ctypes.RTLD_GLOBAL)
    if not hasattr(loaded, "standin_attach"):
        raise StandInError(
            "This process has already loaded a real libnvidia-ml.so.1: attach in a fresh process."
        )
    return loaded
