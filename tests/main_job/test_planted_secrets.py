"""Whole runs with planted secrets and names: no file that is left, and nothing that is printed, has one.

Names are those of user, home and host. The user's own terminal and files are where the home may stand: a path
that was typed, a cache below the home.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.cli.export_formats import FORMATS
from tests.standin import StandIn
from tests.support.kept_outputs import LONG, stored
from tests.support.main_job.metered import IDLE_W
from tests.support.main_job.running import environment, finish, start
from tests.support.processes import ROOT

SECRETS = {
    "HF_TOKEN": "hf_plantedplantedplanted",
    "OPENAI_API_KEY": "sk-planted-0123456789",
    "HTTPS_PROXY": "http://planted-user:planted-pass@127.0.0.1:9",
    "MY_SERVICE_PASSWORD": 'planted "horse" staple',
    "OBJECT_STORE_SECRET": "/planted/battery+0123==",
}
SECRET_WORDS = (
    *SECRETS.values(),
    "planted-pass",
    "planted%20",
    'planted \\"horse',
    "planted &quot;horse",
    "planted &#34;horse",
    "/planted/battery",
    "planted%2Fbattery",
    "hf\\_planted",
)
USER, HOME, HOST = "planted-ada", "home-of-planted", "planted-tower"
NAMES = (USER, HOME, HOST)
HAS_HOST = ("unshare", "--uts", "sh", "-c", f'hostname {HOST} && exec "$@"', "sh")
"""Words before a command that let it run on a machine of this name; root alone may."""
LIMITS = ["--max-seconds", "2", "--block-seconds", "0.3"]
CASE = ["tiny-bloom", "--weights", "random", "--device", "cpu", "--gpus", "0", *LIMITS]
OF_TWO = {"junit", "github-summary"}
EVERY_VERB = """
import json, os, sys
from bench import cli
for number, (words, variables) in enumerate(json.loads(sys.argv[1])):
    os.environ |= variables
    sys.argv = ["joulebench", *words]
    try:
        cli.main()
    except SystemExit as end:
        os.write(int(os.environ["STATUS_FD"]), f"{number} {end.code or 0}\\n".encode())
    for name in variables:
        del os.environ[name]
"""
"""A program that runs command lines one after another, as each would by itself."""


def variables(tmp_path: Path, standin: StandIn, fault: str | None = None) -> dict[str, str]:
    (tmp_path / HOME).mkdir(exist_ok=True)
    plain = environment(standin.environment(), pretend=True, fault=fault, temporary=tmp_path / "temporary")
    places = {"HOME": str(tmp_path / HOME), "HF_HOME": str(tmp_path / HOME / "hf"), "PYTHONPATH": str(ROOT)}
    person = {"USER": USER, "LOGNAME": USER}
    return plain | SECRETS | places | person | {"NO_PROXY": "127.0.0.1"}


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, every file in an archive of it, and each value of a file of columns."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        yield str(path.relative_to(folder)), path.read_bytes()
        if path.read_bytes()[:4] == b"PAR1":
            yield f"{path}!columns", b"".join(columns(path))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path}!{name}", archive.read(name)) for name in archive.namelist())


def columns(path: Path) -> Iterator[bytes]:
    """Values of a Parquet file, and what it says of itself: both may be compressed."""
    for function in ("read_parquet", "parquet_kv_metadata"):
        found = duckdb.connect().execute(f"SELECT * FROM {function}(?)", [str(path)])
        yield from (repr(row).encode() for row in found.fetchall())


def planted_in(content: bytes, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.encode() in content]


def may_name_the_host() -> bool:
    done = subprocess.run([*HAS_HOST, "hostname"], capture_output=True, text=True, check=False)
    return done.stdout.strip() == HOST


def lines_of(results: Path, texts: Path, out: Path) -> list[tuple[list[str], dict[str, str]]]:
    """Command lines of all that is made of records, and the completion of one by a shell."""
    records = sorted(map(str, results.glob("*/*.json")))
    whole = next(name for name in records if json.loads(Path(name).read_text())["status"] == "ok")
    left_out = {"model-card"}  # of published weights
    left_out |= set() if find_spec("pyarrow") else {"parquet"}
    exports = [
        ["export", name, *([whole, whole] if name in OF_TWO else [str(results)]), "-o", f"{out}/{name}"]
        for name in FORMATS
        if name not in left_out
    ]
    of_outputs = ["--results", str(results)]
    completion = {
        "_JOULEBENCH_COMPLETE": "bash_complete",
        "COMP_WORDS": "joulebench show ",
        "COMP_CWORD": "2",
    }
    lines: list[list[str]] = [
        *exports,
        ["report", "--results", str(results), "-o", f"{out}/page.html"],
        ["report", "--results", str(results), "--format", "md", "-o", f"{out}/page.md"],
        ["show", *records],
        ["show", *records, "--format", "md"],
        ["doctor", "--json", "-o", f"{out}/doctor.json"],
        ["compare", str(results), str(results), "--debug"],
        ["query", "SELECT * FROM every_record", "--csv", *of_outputs, "-o", f"{out}/query.csv"],
        ["validate", str(results)],
        [
            "footprint",
            "drafts",
            str(texts),
            "--accept",
            "length=5..",
            "-o",
            f"{out}/drafts.json",
            *of_outputs,
        ],
        ["footprint", "drafts", str(texts), "--judge-prompts", f"{out}/judge.yaml", *of_outputs],
        ["footprint", "sheet", str(texts), "-o", f"{out}/sheet", *of_outputs],
        ["run", "tiny-bloom", f"--no-such={SECRETS['OPENAI_API_KEY']}", "--debug"],
        ["show", f"{SECRETS['HF_TOKEN']}.json", "--debug"],
        [
            "footprint",
            "drafts",
            str(texts),
            "--accept",
            f"regex=({SECRETS['MY_SERVICE_PASSWORD']}",
            *of_outputs,
        ],
    ]
    return [*((line, {}) for line in lines), ([], completion)]


def statuses(
    lines: Any, before: list[str], folder: Path, variables: dict[str, str], said: list[bytes]
) -> list[int]:
    """Exit status of each command line; what they print is added to what was said."""
    ours, theirs = os.pipe()
    done = subprocess.run(
        [*before, sys.executable, "-c", EVERY_VERB, json.dumps(lines)],
        cwd=folder,
        env=variables | {"STATUS_FD": str(theirs)},
        pass_fds=[theirs],
        capture_output=True,
        timeout=400,
        check=False,
    )
    os.close(theirs)
    with os.fdopen(ours) as file:
        ended = [int(line.split()[1]) for line in file]
    said += [done.stdout, done.stderr]
    assert done.returncode == 0, done.stderr.decode()
    return ended


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_file_has_a_secret_or_a_name_and_nothing_printed_a_secret(
    tmp_path: Path, standin: StandIn
) -> None:
    """Results are below the home, so that the lock and whatever has their path would name it."""
    before = list(HAS_HOST) if may_name_the_host() else []
    results, out = tmp_path / HOME / "results", tmp_path / "out"
    out.mkdir()
    said: list[bytes] = []
    standin.load(0, standin.now_ns(), IDLE_W)
    for fault in (None, "kill-at:8", "nan-at:1"):
        words = [*CASE, "--save-outputs", "--debug"]
        done = finish(start(words, results, variables(tmp_path, standin, fault), before=before), results)
        said += [done.out.encode(), done.err.encode()]
    assert len(list(results.glob("*/*.json"))) == 3
    texts, _ = stored(tmp_path / "kept", [f"{LONG} Number {'x' * i}." for i in range(5)])
    lines = lines_of(results, texts, out)
    ended = statuses(lines, before, tmp_path, variables(tmp_path, standin), said)
    assert len(ended) == len(lines), said[-1].decode()
    assert ended[-4:] == [2, 2, 2, 0]
    assert not [line for (line, _), status in zip(lines[:-4], ended, strict=False) if status not in (0, 3)]
    every = dict(contents(tmp_path))
    assert {"out/package", "out/page.html", "out/drafts.json", "out/sheet/sheet.html"} <= every.keys()
    assert any(name.startswith("temporary/joulebench-locks/") for name in every)
    assert any(name.endswith(".parquet!columns") for name in every)
    assert {name: found for name, text in every.items() if (found := planted_in(text, SECRET_WORDS))} == {}
    assert {name: found for name, text in every.items() if (found := planted_in(text, NAMES))} == {}
    assert planted_in(b"".join(said), SECRET_WORDS) == []
    assert b"***" in b"".join(said)
