"""Links that unsubscribe without login: the letter's reference, signed so that nobody can make one for another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from monitor.config import Config

SECRET_VARIABLE = "EXOWATCH_UNSUBSCRIBE_SECRET"  # noqa: S105 - a variable's name
_FILE = "unsubscribe.secret"
_SHORTEST = 32


def secret_of(config: Config) -> bytes:
    """The secret that links are signed with: the environment's, else the data folder's, made when first needed.

    Raises ValueError for one that is too short to be one.
    """
    given = os.environ.get(SECRET_VARIABLE, "")
    if given:
        if len(given) < _SHORTEST:
            raise ValueError(f"{SECRET_VARIABLE}: shorter than {_SHORTEST} characters; take a long random text")
        return given.encode()
    path = config.data / _FILE
    if not path.exists():
        _make(path)
    return path.read_bytes()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{_FILE}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(part, path)  # whoever comes second takes the first one's: links already sent must stay good
    except FileExistsError:
        pass
    finally:
        part.unlink()


def token(secret: bytes, reference: str) -> str:
    return f"{reference}.{_signature(secret, reference)}"


def reference_in(secret: bytes, given: str) -> str:
    """The reference that a link names, or nothing if it is not one of ours."""
    reference, _, signature = given.partition(".")
    known = hmac.compare_digest(signature.encode(), _signature(secret, reference).encode())
    return reference if known else ""


def link(config: Config, reference: str) -> str:
    """Address at which the reader of that letter unsubscribes; empty where readers cannot reach the site."""
    if config.public_site is None:
        return ""
    return f"{config.public_site.rstrip('/')}/unsubscribe/{token(secret_of(config), reference)}"


def _signature(secret: bytes, reference: str) -> str:
    made = hmac.new(secret, f"unsubscribe\0{reference}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
