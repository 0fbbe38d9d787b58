"""Before a case is measured: its server is healthy, has the model, and answers as its requests ask it to."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable

from bench.core.workload import Workload
from bench.errors import EngineError
from bench.worker.serving.advice import advice
from bench.worker.serving.client import Answer, ServerClient
from bench.worker.serving.media import Fault
from bench.worker.serving.prompts import SHOTS
from bench.worker.serving.requests import Requests
from bench.worker.serving.secrets import ApiKey
from bench.worker.serving.served_server import ServedServer
from bench.worker.serving.server_process import LOOK_S, ServerProcess

FIRST_TOKENS = 8
SPARE_FILES = 128
"""Open files beside the connections of a load: libraries, logs, the recorder's pipes."""


async def wait_healthy(
    client: ServerClient, url: str, process: ServerProcess, seconds: float, meanwhile: Callable[[], object]
) -> None:
    """Wait for a server that was started. Raises EngineError where it ends, or takes longer."""
    begun = turn_at = time.monotonic()
    while (response := await client.get(url)) is None or not response.is_success:
        process.require_alive("load")
        waited_s = time.monotonic() - begun
        if waited_s > seconds:
            raise EngineError(
                f"The server was not healthy after {waited_s:.3g} s. {process.see_log}",
                "Set `serve: {start_seconds: ...}` for one that takes longer, and `health` for another path.",
            )
        if time.monotonic() >= turn_at:
            meanwhile()
            turn_at = time.monotonic() + 1.0
        await asyncio.sleep(LOOK_S)


async def first_answer(
    client: ServerClient,
    requests: Requests,
    server: ServedServer,
    key: ApiKey,
    fault: Callable[[Answer], Fault | None],
) -> Answer:
    """A short answer to a prompt of the case's length, which is fitted. Raises EngineError(stage="load")."""
    for number in range(SHOTS):
        answer = Answer(number, time.monotonic_ns())
        await client.ask(requests.api, requests.body(number, FIRST_TOKENS), answer)
        if answer.failure is not None:
            raise await _refused(client, answer, server, key)
        if (wrong := fault(answer)) is not None:
            raise EngineError(
                f"The server's first answer is wrong ({wrong.code}): {wrong.message}.",
                "See its log; `serve: {extra: ...}` changes the fields of requests.",
            )
        tokens = answer.usage.input_tokens if answer.usage else None
        if tokens is None or requests.prompts.fit(tokens):
            break
    return answer


async def _refused(client: ServerClient, answer: Answer, server: ServedServer, key: ApiKey) -> EngineError:
    """The error of a server that does not answer the first request as it should."""
    url = server.address.url
    match answer.failure:
        case "http-401" | "http-403" if key.variable:
            return EngineError(
                f"The server refuses the key in {key.variable}.", "Set the right one.", missing=True
            )
        case "http-401" | "http-403":
            return EngineError(
                "The server asks for a key.", "Name its variable: `serve: {key: VARIABLE}`.", missing=True
            )
        case "no-connection" if "certificate" in answer.message.lower() or "ssl" in answer.message.lower():
            return EngineError(
                f"The connection to {url} is not secure: {answer.message}.",
                "Mend the server's certificate.",
                missing=True,
            )
        case "no-connection":
            return EngineError(
                f"No server answers at {url}: {answer.message}.",
                "Check --endpoint, and that it is up.",
                missing=True,
            )
        case "silent":
            return EngineError(
                f"The server at {url} does not answer (silent): {answer.message}.", advice("silent")
            )
        case "http-404" | "http-400" | "http-422" | "http-500":  # 500: one that loads models by their names
            listed = await _models(client, url)
            if listed is not None and server.name not in listed:
                return EngineError(
                    f"The server has no model {server.name}; it has {', '.join(listed[:8]) or 'none'}.",
                    "Set `serve: {name: ...}` of the model in models.yaml.",
                    missing=True,
                )
            if answer.failure == "http-404":
                return EngineError(
                    f"There is nothing at {url}: {answer.message}.",
                    "Does its path end in /v1?",
                    missing=True,
                )
    return EngineError(
        f"The server did not answer a first request ({answer.failure}): {answer.message}.",
        "See its log; `serve: {extra: ...}` changes the fields of requests.",
    )


async def _models(client: ServerClient, url: str) -> list[str] | None:
    """Names of the models that a server lists; `None` where it has no list."""
    response = await client.get(f"{url}/models")
    if response is None or not response.is_success:
        return None
    try:
        return [str(entry["id"]) for entry in response.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return None


def require_open_files(workload: Workload) -> None:
    """Raise the limit of open files as far as a load needs it. Raises EngineError where it may not be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if workload.kind == "rate":  # how many are open at a time is the server's matter
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return
    needed = (workload.requests or int(workload.load or 1)) + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise EngineError(
            f"The load needs {needed} open files, and this machine allows {hard}.",
            f"Raise the limit: ulimit -n {needed}.",
            missing=True,
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
