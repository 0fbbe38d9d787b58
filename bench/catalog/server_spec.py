"""A server of a catalogue's model: the command that starts it, its health, its key, its price.

serve:
  command: "vllm serve {model} --port {port} --dtype {dtype} --max-num-seqs {running}"
  key: VLLM_API_KEY            # the variable with the key; the key itself is in no file
  price: {input_usd: 0.15, output_usd: 0.60}
"""

from __future__ import annotations

import hashlib
import re
import shlex
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from bench.core.model import Strict

PLACES = ("model", "host", "port", "dtype", "running", "device")
"""What a command may hold in braces: the model's name or folder, where to listen, precision, and load."""


def _only_known_places(command: str) -> str:
    """The command, where each of its places is known and it has one for the port."""
    try:
        places = {name for _, name, _, _ in Formatter().parse(command) if name is not None}
    except ValueError as error:
        raise PydanticCustomError("command", "its braces do not match") from error
    if unknown := sorted(places - set(PLACES)):
        told = {"unknown": ", ".join(unknown), "known": ", ".join(PLACES)}
        raise PydanticCustomError("command", "unknown place {unknown} (known: {known})", told)
    try:
        shlex.split(command)
    except ValueError as error:
        raise PydanticCustomError("command", "its quotes do not match") from error
    if "port" not in places:
        raise PydanticCustomError(
            "command", "the command needs {port}, since the port is chosen for each run"
        )
    return command


def _no_secret(variable: str) -> str:
    """The name of a variable; what looks like a key itself is refused, and not shown."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", variable):
        raise PydanticCustomError("secret", "expected the name of a variable, such as OPENAI_API_KEY")
    return variable


class TokenPrice(Strict):
    """What a million tokens cost, in US dollars."""

    input_usd: Annotated[float, Field(ge=0)]
    output_usd: Annotated[float, Field(ge=0)]


class ServerSpec(Strict):
    """How a server for a model is started, asked and paid. All of it may be left out with `--endpoint`."""

    command: Annotated[str, AfterValidator(_only_known_places)] | None = None
    name: str | None = None
    """The model's name at the server; without it the hub's name, or the folder's path."""
    api: Literal["chat", "completions", "images", "speech"] | None = None
    """`None` for the one of the model's modality: chat of text, images of images, speech of speech."""
    base: Annotated[str, Field(pattern=r"^/[^?#]*$|^$")] = "/v1"
    """Path before `/chat/completions` and `/models` at a server that is started here."""
    health: Annotated[str, Field(pattern=r"^/[^?#]*$")] = "/health"
    start_seconds: Annotated[float, Field(gt=0)] = 600.0
    """A server that is not healthy after so long is given up."""
    answer_seconds: Annotated[float, Field(gt=0)] = 120.0
    """Longest silence of a server before or inside an answer."""
    key: Annotated[str, AfterValidator(_no_secret)] | None = None
    """Name of the environment variable with the key."""
    extra: dict[str, Any] | None = None
    """Further fields of a request, in place of `ignore_eos: true`, with which an answer has its length.

    `{new_tokens}` in a text is replaced by that length; a field that is `null` leaves one out.
    """
    tokenizer: str | None = None
    """A `tokenizer.json` with which tokens are counted here, beside the server's own count."""
    price: TokenPrice | None = None

    @property
    def command_sha256(self) -> str | None:
        """Digest of the command's words, for the words may hold a folder's name or a key."""
        if self.command is None:
            return None
        return hashlib.sha256(" ".join(shlex.split(self.command)).encode()).hexdigest()
