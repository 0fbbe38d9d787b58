"""Records with traces of cards of known power, which no estimator of this package had a hand in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.core.arrays import Floats
from bench.core.energy import DomainEnergy
from bench.core.observed import CounterDelay, Observed
from bench.fleet.manifest import NAME
from bench.fleet.package import digests
from bench.store import results, traces
from tests.support.factory import block, record

NAN = float("nan")
IDLE_W, TICK_S = 60.0, 0.1
BLOCK_S, PAUSE_S = 10.0, 4.0


def planted(folder: Path, name: str, uuid: str, busy_w: float = 300.0) -> Path:
    """A record of two blocks of 10 s at a constant power, its joules the true ones; and its trace."""
    machine = folder / name
    machine.mkdir(parents=True)
    domain, begun_s = f"gpu:{uuid}", 5.0
    edges_s = [
        (begun_s + n * (BLOCK_S + PAUSE_S), begun_s + n * (BLOCK_S + PAUSE_S) + BLOCK_S) for n in range(2)
    ]
    blocks = [
        block(
            start_ns=round(start * 1e9),
            end_ns=round(end * 1e9),
            rests_ns=[],
            energies={
                domain: DomainEnergy(
                    gross_j=busy_w * (end - start),
                    net_j=(busy_w - IDLE_W) * (end - start),
                    source="counter-padded",
                    kind="measured",
                    edge_u_j=0.5,
                )
            },
            observed=Observed(counter_delay={domain: CounterDelay(delay_s=0.0, u_s=0.002)}),
        )
        for start, end in edges_s
    ]
    whole = record(
        blocks=blocks,
        run_id=f"20260131t120000-{uuid[-6:]}",
        trace=f"traces/{name}.parquet",
        machine={
            "name": name,
            "id": uuid[-8:],
            "device": "cuda",
            "gpus": [{"uuid": uuid, "name": "NVIDIA Sample"}],
            "metered": [uuid],
        },
        provenance={"command": "python -m bench run bloom-560m", "git": {"commit": "a" * 40, "dirty": False}},
    )
    (machine / "traces").mkdir()
    traces.write(machine / "traces" / f"{name}.parquet", [_samples(domain, edges_s, busy_w)])
    path = machine / "bloom.json"
    path.write_text(results.to_json(whole), encoding="utf-8")
    return path


def _samples(domain: str, edges_s: list[tuple[float, float]], busy_w: float) -> traces.Samples:
    """170 readings a second of a counter that moves every 100 ms, at its own phase."""
    last_s = edges_s[-1][1] + 5.0
    rng = np.random.default_rng(5)
    t_s = np.sort(
        np.arange(0.0, last_s, 1 / 170) + rng.uniform(0, 1e-3, len(np.arange(0.0, last_s, 1 / 170)))
    )
    moved_s = np.floor((t_s - 0.037) / TICK_S) * TICK_S + 0.037
    values = {name: np.full(len(t_s), NAN) for name in traces.VALUES}
    values["energy_j"] = 1000.0 + _joules(moved_s, edges_s, busy_w)
    return traces.Samples(domain, np.round(t_s * 1e9).astype(np.int64), values)


def _joules(t_s: Floats, edges_s: list[tuple[float, float]], busy_w: float) -> Floats:
    """Joules since 0 s: idle, and more inside the blocks."""
    joules = IDLE_W * t_s
    for start, end in edges_s:
        joules = joules + (busy_w - IDLE_W) * (np.clip(t_s, start, end) - start)
    return joules


def rewritten(path: Path, name: str, change: Callable[[bytes], bytes], *, digest: bool = False) -> Path:
    """The package with one file changed; `digest`: its line of the manifest, too."""
    with zipfile.ZipFile(path) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    (chosen,) = [each for each in files if each.endswith(name)]
    files[chosen] = change(files[chosen])
    if digest:
        manifest = json.loads(files[NAME])
        manifest["files"][chosen] = digests({chosen: files[chosen]})[chosen].model_dump()
        files[NAME] = json.dumps(manifest).encode()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for each, content in files.items():
            archive.writestr(each, content)
    path.write_bytes(whole.getvalue())
    return path


def new_key(path: Path) -> Path:
    """A key as `openssl genpkey -algorithm ed25519` makes one."""
    private = Ed25519PrivateKey.generate()
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path
