"""Signed JSON to an address of the operator's: headers and signature as in Standard Webhooks 1.0."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import socket
import ssl
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

TIMEOUT = 20.0
"""Seconds, as Standard Webhooks advises (15 to 30)."""
_MOST_ANSWER = 2_000
_FEWEST, _MOST = 24, 64
"""Bytes of a secret."""


class RefusedAddressError(ValueError):
    """The address leads to a private network, or nowhere that may be posted to."""


@dataclass(frozen=True)
class Answer:
    """What the other side said: HTTP status, reason, and seconds after which it wants to be asked again."""

    status: int
    reason: str
    retry_after: int = 0


def key_of(secret: str) -> bytes:
    """The signing key in `whsec_…`. Raises ValueError saying what a secret looks like."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except NotBase64 as error:
        raise ValueError("is not base64; write whsec_ and the base64 of 24 to 64 random bytes") from error
    if not _FEWEST <= len(key) <= _MOST:
        raise ValueError(f"holds {len(key)} bytes; write whsec_ and the base64 of 24 to 64 random bytes")
    return key


def sign(key: bytes, reference: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The three headers by which a receiver knows who posted it, when, and whether it has it already."""
    moment = str(int(at.timestamp()))
    made = hmac.new(key, f"{reference}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": reference,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, loopback: bool = False, timeout: float = TIMEOUT
) -> Answer:
    """Post once, following nothing. Raises OSError, http.client.HTTPException or RefusedAddressError.

    `loopback`: a rehearsal, which reaches this machine and nothing else. The address is looked up once and that very
    address is connected to, so that a name cannot lead elsewhere a moment later.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    number = _number_of(host, port, loopback)
    connection = _Fixed(host, port, number, timeout, ssl.create_default_context() if secure else None)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        answer.read(_MOST_ANSWER)
        wait = answer.getheader("Retry-After", "")
        return Answer(answer.status, answer.reason, int(wait) if wait.isascii() and wait.isdigit() else 0)
    finally:
        connection.close()


class _Fixed(http.client.HTTPConnection):
    """A connection to one number, in a host's name."""

    def __init__(self, host: str, port: int, number: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=timeout)
        self.default_port = 443 if tls else 80
        self._number = number
        self._tls = tls

    def connect(self) -> None:
        plain = socket.create_connection((self._number, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain


def _number_of(host: str, port: int, loopback: bool) -> str:
    """The host's address, if all that it has may be posted to: a name may have a public and a private one."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for number in found:
        address = ip_address(number.partition("%")[0])
        fine = address.is_loopback if loopback else address.is_global and not address.is_multicast
        if not fine:
            allowed = "a rehearsal posts to this machine only" if loopback else "only public addresses are posted to"
            raise RefusedAddressError(f"{host} leads to {number}; {allowed}")
    return found[0]
