"""A real mail server on this machine for tests: takes, refuses, greylists, hangs up, speaks TLS, asks who is there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "open sesame"
DROP = "DROP"
"""An answer that is none: the connection is closed."""


@dataclass
class Taken:
    """A mail that the server took, or was given before it hung up."""

    recipient: str
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        made = message_from_bytes(self.raw, policy=default)
        assert isinstance(made, EmailMessage)
        return made


@dataclass
class MailServer:
    """What it does: answers by recipient, at RCPT and at the end of DATA. The first that is left is used."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    at_sender: list[str] = field(default_factory=list)
    at_rcpt: dict[str, list[str]] = field(default_factory=dict)
    at_data: dict[str, list[str]] = field(default_factory=dict)
    on_data: Callable[[], None] = lambda: None
    seen: list[str] = field(default_factory=list)
    """Recipients that were named, in order."""

    def of(self, recipient: str) -> list[Taken]:
        return [taken for taken in self.taken if taken.recipient == recipient]

    def forget(self) -> None:
        for kept in (self.taken, self.seen, self.at_sender):
            kept.clear()
        self.at_rcpt.clear()
        self.at_data.clear()
        self.on_data = lambda: None

    async def handle_MAIL(self, _s: SMTP, _session: Any, envelope: Envelope, address: str, _o: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.at_sender.pop(0) if self.at_sender else "250 OK"

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Envelope, address: str, _o: list[str]) -> str:  # noqa: N802
        self.seen.append(address)
        answers = self.at_rcpt.get(address)
        answer = answers.pop(0) if answers else "250 OK"
        if answer == DROP:
            _hang_up(server)
        elif answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else bytes(content or b"")
        self.taken += [Taken(recipient, raw) for recipient in envelope.rcpt_tos]
        await asyncio.get_running_loop().run_in_executor(None, self.on_data)
        answers = self.at_data.get(envelope.rcpt_tos[0])
        answer = answers.pop(0) if answers else "250 taken"
        if answer == DROP:
            _hang_up(server)
        return answer


def _hang_up(server: SMTP) -> None:
    assert server.transport is not None
    server.transport.abort()


def _who_is_there(_s: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    fine = isinstance(data, LoginPassword) and data == LoginPassword(b"exo", PASSWORD.encode())
    return AuthResult(success=fine, handled=False)


class _Controller(Controller):
    """On whatever port is free."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(
    certificate: Path | None = None, *, from_the_start: bool = False, login: bool = False
) -> Iterator[MailServer]:
    """A running server. `certificate`: PEM with key and chain, for STARTTLS or, `from_the_start`, TLS."""
    made = MailServer()
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    settings: dict[str, Any] = {"ssl_context": context} if from_the_start else {"tls_context": context}
    if login:
        settings |= {"authenticator": _who_is_there, "auth_required": True, "auth_require_tls": True}
    controller = _Controller(made, hostname="127.0.0.1", port=0, ready_timeout=30, **settings)
    controller.start()
    made.port = controller.port
    try:
        yield made
    finally:
        controller.stop()


def certificates(folder: Path) -> tuple[Path, Path]:
    """A root certificate, and a server's certificate for 127.0.0.1 with its key: two PEM files."""
    now = datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented root")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())

    def builder(subject: x509.Name, public: Any) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(root_name).public_key(public)
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=7))

    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    root = (
        builder(root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    server = (
        builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")]), key.public_key())
        .add_extension(names, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(server.public_bytes(pem) + secret)
    return folder / "root.pem", folder / "server.pem"
