"""The server of a case, ready to be asked: started or found, healthy, its first answer seen.

server = ServedServer(case, spec, setup, key)
server.start()                         # only where `serve: {command: ...}` is used
server.address.url, server.pids, server.elsewhere, server.card_uuids()
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.catalog.cases import Case
from bench.catalog.server_spec import ServerSpec
from bench.core.temporary import SERVER_LOG, owned_folder
from bench.errors import EngineError
from bench.machine.gpu_processes import pids_on
from bench.machine.placement import visible_only
from bench.worker.producer import ProducerSetup
from bench.worker.serving.address import Address, free_port, parse
from bench.worker.serving.secrets import ApiKey
from bench.worker.serving.server_process import ServerProcess, command_line

LOCALHOST = "127.0.0.1"


class ServedServer:
    """Where the server is, which processes and cards it has, and its end where it was started here."""

    def __init__(self, case: Case, spec: ServerSpec, setup: ProducerSetup, key: ApiKey) -> None:
        self._case, self._spec, self._setup, self._key = case, spec, setup, key
        self.process: ServerProcess | None = None
        self.command: list[str] | None = None
        self.address = self._address()
        self.elsewhere = self.address.elsewhere() if setup.endpoint else None
        if self.elsewhere and setup.placement.named:
            raise EngineError(
                f"--gpus names cards of this machine, and {self.elsewhere}.",
                "Leave out --gpus: tokens and latencies are measured without joules.",
                missing=True,
            )

    def _address(self) -> Address:
        if self._setup.endpoint:
            return parse(self._setup.endpoint)
        if not self._spec.command:
            raise EngineError(
                f"{self._case.name} has neither an endpoint nor a server's command.",
                "Name one with --endpoint URL, or set `serve: {command: ...}` of the model in models.yaml.",
                missing=True,
            )
        return parse(f"http://{LOCALHOST}:{free_port()}{self._spec.base}")

    @property
    def name(self) -> str:
        """The model's name in requests."""
        weights = self._case.weights
        return self._spec.name or weights.path or weights.hub_id or self._case.name

    def start(self) -> None:
        """Start the server of the catalogue's command, with a log. Raises EngineError."""
        case, placement = self._case, self._setup.placement
        assert self._spec.command, "an address without an endpoint has a command"
        if case.weights.kind == "random" and "{model}" in self._spec.command:
            raise EngineError(
                "{model} of a server's command has no folder for random weights.",
                "Save such weights, and write their folder into the command.",
            )
        places = {
            "model": case.weights.path or case.weights.hub_id,
            "host": LOCALHOST,
            "port": self.address.port,
            "dtype": case.dtype,
            "running": int(case.workload.load or 1),
            "device": placement.device,
        }
        self.command = command_line(self._spec.command, places)
        environment = dict(placement.environment)
        if placement.device == "cuda":
            environment |= visible_only(placement.cards)
        self.process = ServerProcess(self.command, environment, self._log(), self._key)

    def _log(self) -> Path:
        folder = self._setup.logs or owned_folder(SERVER_LOG).path
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        return folder / f"{self._case.name}-{self._case.as_mapping()['hash'][:8]}-{stamp}.log"

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes on this machine, as far as they can be seen."""
        if self.elsewhere:
            return ()
        return self.process.pids if self.process else self.address.listening_pids()

    def card_uuids(self) -> tuple[str, ...]:
        """Cards that it uses: those named, else where its processes are. Raises EngineError for none."""
        placement = self._setup.placement
        if self.elsewhere or (placement.device == "cpu" and not placement.named):
            return ()
        if placement.named or self.process:
            return tuple(gpu.uuid for gpu in placement.cards)
        pids = set(self.pids)
        listed = {gpu.uuid: pids_on(gpu) for gpu in placement.visible}
        if found := tuple(uuid for uuid, on_card in listed.items() if on_card & pids):
            return found
        raise EngineError(
            f"The server's processes are not seen on {', '.join(listed)}.",
            "Name the cards that it uses with --gpus.",
            missing=True,
        )

    def described(self) -> dict[str, Any]:
        """What is known of it without asking it."""
        if self.process is None or self.command is None:
            return {"server": "attached", "endpoint": self.address.url}
        log = f"logs/{self.process.log_name}" if self._setup.logs else None
        words = ["PORT" if word == str(self.address.port) else word for word in self.command]
        return {"server": "started", "command": " ".join(words), "log": log}

    def end(self, *, gently: bool) -> None:
        """End it where it was started here; one that was up before stays up."""
        if self.process is not None:
            self.process.end(gently=gently)
