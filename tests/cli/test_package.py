"""`bench export package` and `bench validate` of one, as typed."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Typed
from tests.fleet.planted import new_key, planted, rewritten

H100, L4 = "GPU-aaaaaaaa-0000-0000-0000-00000000h100", "GPU-bbbbbbbb-0000-0000-0000-000000000004"


def test_the_verbs_pack_check_and_refuse(typed: Typed, tmp_path: Path) -> None:
    results, path = tmp_path / "results", tmp_path / "signed.zip"
    planted(results, "h100", H100)
    planted(results, "l4", L4, busy_w=70.0)
    signing_key, other_key = new_key(tmp_path / "key.pem"), new_key(tmp_path / "other.pem")
    assert typed("export", "package", results, "-o", path, "--sign", signing_key).status == 0
    done = typed("validate", path, "--key", signing_key)
    assert done.status == 0
    assert "2 records of 2 machines, signed by the ed25519 key" in done.out
    refused = typed("validate", path, "--key", other_key)
    assert refused.status == 2
    assert "its signature is" in refused.err
    changed = typed("validate", rewritten(path, "l4.parquet", lambda content: content[:-40] + bytes(40)))
    assert changed.status == 2
    assert "not those of the manifest's digest" in changed.err
    assert typed("export", "csv", results, "--sign", signing_key).status == 2
