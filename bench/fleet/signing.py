"""Signatures of a package's manifest by an ed25519 key, which openssl and ssh-keygen can make.

    key = signing.load(Path("key.pem"))       # openssl genpkey -algorithm ed25519 -out key.pem
    key.sign(manifest)                        # JSON: the public key, and the signature
    signing.signer(manifest, signature)       # fingerprint of the key

A signature proves that the manifest is as its signer left it, and with its digests every file. Whose key it
is, is for the reader to know: `bench validate` prints the fingerprint, or takes the public key.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.untrusted import bytes_in, json_of
from bench.dependencies import install_command
from bench.errors import PrerequisiteError, RecordError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LARGEST_KEY_BYTES = 100_000
MAKE_ONE = "Make one: openssl genpkey -algorithm ed25519 -out key.pem"


@dataclass(frozen=True)
class SigningKey:
    """A private key that signs manifests."""

    private: Ed25519PrivateKey

    def sign(self, content: bytes) -> bytes:
        """A JSON document with the public key and the signature of the content."""
        public = _raw(self.private.public_key())
        signature = {
            "algorithm": "ed25519",
            "public_key": _text(public),
            "signature": _text(self.private.sign(content)),
        }
        return (json.dumps(signature, indent=2) + "\n").encode()


def load(path: Path) -> SigningKey:
    """A private key from a PEM or OpenSSH file without a password. Raises UsageError with the way out."""
    _require()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    content = _content(path)
    for read in (serialization.load_pem_private_key, serialization.load_ssh_private_key):
        try:
            private = read(content, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(private, Ed25519PrivateKey):
            return SigningKey(private)
    raise UsageError(f"{path}: not an ed25519 private key without a password.", MAKE_ONE)


def public(path: Path) -> str:
    """Fingerprint of a public key's (or a private key's) file. Raises UsageError."""
    _require()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    content = _content(path)
    for read in (serialization.load_pem_public_key, serialization.load_ssh_public_key):
        try:
            key = read(content)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, Ed25519PublicKey):
            return fingerprint(_raw(key))
    return fingerprint(_raw(load(path).private.public_key()))


def signer(content: bytes, signature: bytes) -> str:
    """Fingerprint of the key that signed this content. Raises RecordError where the signature is not its."""
    _require()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        stated = json_of(signature)
        raw = base64.b64decode(stated["public_key"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
        key.verify(base64.b64decode(stated["signature"], validate=True), content)
    except InvalidSignature:
        raise RecordError("The manifest is not the one that was signed.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"The signature cannot be read: {error}.") from error
    return fingerprint(raw)


def fingerprint(public_key: bytes) -> str:
    """The first 32 digits of a public key's SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _content(path: Path) -> bytes:
    try:
        return bytes_in(path, LARGEST_KEY_BYTES)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}.", MAKE_ONE) from error
    except ValueError as error:
        raise UsageError(f"{path}: not a key: {error}.", MAKE_ONE) from error


def _require() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise PrerequisiteError(
            "Signatures need the package cryptography.", f"Install it with: {install_command('sign')}"
        ) from error
