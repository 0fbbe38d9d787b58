"""A Ray that cannot be imported is one sentence, whatever its import raises."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.errors import PrerequisiteError
from bench.fleet.cluster import Cluster


@pytest.mark.parametrize(
    ("raises", "says"),
    [
        ("KeyError('libamd_smi.so')", "Ray cannot be imported here: KeyError: 'libamd_smi.so'. Mend the "),
        ("ImportError('no ray')", "A fleet needs Ray, which is not installed. Install it with: "),
    ],
)
def test_a_ray_that_does_not_import_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raises: str, says: str
) -> None:
    (tmp_path / "ray.py").write_text(f"raise {raises}\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(PrerequisiteError) as refused:
        Cluster("auto", str(tmp_path))
    assert str(refused.value).startswith(says)
