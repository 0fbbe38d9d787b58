"""No stored file names its user, home or host, unless that is asked for; identities do not change by it."""

from __future__ import annotations

import json
import pwd
import re
import socket
from pathlib import Path

import pytest

from bench.core.recorded import Failure
from bench.store import own_names, results
from bench.store.machine_folder import MachineFolder
from bench.store.own_names import without_own_names
from tests.support import factory

USER, HOME, HOST = "ada.lovelace", "/home/ada.lovelace", "adas-tower"


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry = pwd.struct_passwd((USER, "x", 4242, 4242, "", HOME, "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: entry)
    monkeypatch.setattr(socket, "gethostname", lambda: f"{HOST}.example.org")
    monkeypatch.setenv("HOME", HOME)
    machine_id = tmp_path / "machine-id"
    machine_id.write_text("0123456789abcdef\n")
    monkeypatch.setattr(own_names, "MACHINE_ID", machine_id)


def planted() -> str:
    return (
        f"{HOME}/a b, /data/{USER}/c, {USER}@{HOST}, http://{HOST.upper()}.example.org:80/x, pytest-of-{USER}"
    )


def host_in(text: str) -> str:
    (found,) = {each[0] for each in re.finditer("host-[0-9a-f]{8}", text)}
    return found


def test_home_user_and_host_become_the_same_pseudonyms_each_time() -> None:
    clean = without_own_names(planted())
    assert clean == without_own_names(planted())
    assert clean.startswith("~/a b, /data/user-")
    for name in (USER, HOME, HOST):
        assert name not in clean.lower()
    assert without_own_names(r"/home/ada\.lovelace/a and adas\-tower") == f"~/a and {host_in(clean)}"
    assert clean.count("user-") == 3
    assert clean.count("host-") == 2


def test_other_words_and_names_that_many_have_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{HOME}xyz {USER}s adas-towers root@localhost /root/x"
    assert without_own_names(text) == text
    entry = pwd.struct_passwd(("root", "x", 0, 0, "", "/root", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: entry)
    assert without_own_names("root /root/x") == "root ~/x"


def test_names_of_the_person_behind_a_process_of_root_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pwd.struct_passwd(("root", "x", 0, 0, "", "/root", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: entry)
    for variable, name in (("USER", "grace"), ("LOGNAME", "grace"), ("SUDO_USER", "grace.hopper")):
        monkeypatch.setenv(variable, name)
    clean = without_own_names("/data/grace.hopper/x of grace, not of gracefully root")
    assert re.fullmatch("/data/user-[0-9a-f]{8}/x of user-[0-9a-f]{8}, not of gracefully root", clean)


def test_a_record_and_what_is_made_of_it_have_no_names_and_keep_their_identity(tmp_path: Path) -> None:
    record = factory.record(status="failed", reasons=[planted()])
    record.provenance.command = planted()
    record.provenance.environment = {"CUDA_VISIBLE_DEVICES": planted()}
    record.failure = Failure(stage="load", message=planted())
    with MachineFolder(tmp_path, "m") as folder:
        folder.save_partial(record)
        path = folder.save(record)
    text = path.read_text()
    kept = results.read(path)
    assert (kept.case, kept.machine.id, kept.machine.name) == (
        record.case,
        record.machine.id,
        record.machine.name,
    )
    for name in (USER, HOST):
        assert name not in text.lower()


def test_names_are_kept_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(own_names.KEEP_VARIABLE, "1")
    record = factory.record()
    record.provenance.command = planted()
    assert json.loads(results.to_json(record))["provenance"]["command"] == planted()


def test_a_machine_named_like_a_model_changes_no_case(monkeypatch: pytest.MonkeyPatch) -> None:
    record = factory.record()
    monkeypatch.setattr(socket, "gethostname", lambda: record.case.model)
    assert results.from_json(results.to_json(record), "here").case == record.case
