"""Whom digests and alerts go to, and by which way. No secret stands in the file: passwords and addresses that let
anyone post come from environment variables, whose names the file may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from monitor.codes import JurisdictionCode
from monitor.config.file import Flaw, KeyPath, Marked, dotted, nearest
from monitor.config.parts import ClockTime, Section, WebAddress, Weekday, ZoneName, clock_change_at

if TYPE_CHECKING:
    from monitor.config import Config

PASSWORD_VARIABLE = "EXOWATCH_SMTP_PASSWORD"  # noqa: S105 - a variable's name, not a password
Rhythm = Literal["at_once", "daily", "weekly"]
Language = Literal["en", "de", "fr"]
"""Languages that reports speak."""


def is_loopback(host: str) -> bool:
    """True if the name or number is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name
        return False


def _is_private(host: str) -> bool:
    """True of a number that is neither public nor this machine's. Where names lead is looked at when posting."""
    try:
        number = ip_address(host.strip("[]"))
    except ValueError:  # a name
        return False
    return not (number.is_global or number.is_loopback)


def mail_address(text: str) -> str:
    """The address as mail carries it: the domain of an international name in its ASCII form. Raises ValueError."""
    local, at, domain = text.rpartition("@")
    try:
        plain = f"{local}{at}{domain.encode('idna').decode().lower()}"
        Address(addr_spec=plain)
    except (UnicodeError, ValueError, IndexError, MessageError) as error:
        raise ValueError("must be a mail address such as anna@example.org") from error
    if not re.fullmatch(r"[!-~]+@[a-z0-9.-]+|[!-~]+@\[[0-9A-Za-z.:]+\]", plain) or not (local and domain):
        raise ValueError("must be a mail address such as anna@example.org, in plain ASCII before the @")
    return plain


def _sender(text: str) -> str:
    name, address = parseaddr(text)
    if not text.isprintable() or not address:
        raise ValueError('must be a mail address, with or without a name: "Exowatch <exowatch@example.org>"')
    plain = mail_address(address)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{plain}>' if name else plain


def _host_name(host: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]+|\[?[0-9A-Fa-f:.]+\]?", host):
        raise ValueError("must be the name of a mail server such as smtp.example.org, without port, user or password")
    return host.strip("[]")


def _list_id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
        raise ValueError("must look like weekly.exowatch.example.org (RFC 2919)")
    return text


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{2,79}", name):
        raise ValueError("must be the name of an environment variable, such as EXOWATCH_CHAT; the secret stands there")
    return name


MailAddress = Annotated[str, AfterValidator(mail_address)]
VariableName = Annotated[str, AfterValidator(_variable)]


class Mail(Section):
    """The mail server that takes what is sent, and in whose name."""

    server: Annotated[str, AfterValidator(_host_name)] | None = None
    """Left out: nothing can be sent; `exowatch outbox send --dry` still writes what would be."""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: Annotated[str, AfterValidator(_sender)]
    reply_to: MailAddress | None = None
    list_id: Annotated[str, AfterValidator(_list_id)] | None = None
    ca: Path | None = None
    """PEM file with the root certificates under which the server is believed; left out: the system's."""
    timeout_seconds: float = Field(default=60.0, gt=0, le=600)

    @field_validator("password")
    @classmethod
    def _never_here(cls, _value: str) -> str:
        raise ValueError(f"take it out of the file, and put it into the environment variable {PASSWORD_VARIABLE}")

    @model_validator(mode="after")
    def _nothing_in_the_clear(self) -> Self:
        if self.security == "none" and self.server and not is_loopback(self.server):
            raise ValueError(
                f"security: none sends everything readable; only a server on this machine may be so, not {self.server}"
            )
        return self

    @property
    def domain(self) -> str:
        """Of the sender: what message ids and the list are named after."""
        return parseaddr(self.sender)[1].rpartition("@")[2].strip("[]")


class Recipient(Section):
    """Someone who gets mail."""

    address: MailAddress
    name: str = Field(default="", max_length=200)
    language: Language | None = None
    """Left out, like `timezone`, `on` and `at`: the digest's."""
    timezone: ZoneName | None = None
    on: Weekday | None = None
    at: ClockTime | None = None
    jurisdictions: tuple[JurisdictionCode, ...] = ()
    watchlists: tuple[str, ...] = ()
    """What these met, and nothing else; left out: everything."""
    digest: bool = True
    empty: bool = True
    """Send a digest of a week in which nothing was new."""

    @property
    def key(self) -> str:
        return self.address


class Channel(Section):
    """A chat that apprise can post to."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[^@\s][^@]*$")
    url_from: VariableName
    language: Language | None = None
    digest: bool = False

    @property
    def key(self) -> str:
        return self.name


class Webhook(Section):
    """An address that signed JSON is posted to."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[^@\s][^@]*$")
    url: WebAddress
    secret_from: VariableName
    digest: bool = False

    @property
    def key(self) -> str:
        return self.name

    @model_validator(mode="after")
    def _nothing_in_the_clear(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("url must begin with https://; http:// is for a rehearsal on this machine alone")
        if _is_private(parts.hostname or ""):
            raise ValueError(f"url: {parts.hostname} is a private address; only public ones are posted to")
        return self


Target = Recipient | Channel | Webhook


def delivery_flaws(config: Config, marked: Marked) -> list[Flaw]:
    """What does not fit together between recipients, lists, chats, webhooks and the mail server."""
    found = [*_twice(config), *_unknown(config), *_unreachable(config), *_impossible_times(config), *_rehearsed(config)]
    return [Flaw(marked.line_of(path), dotted(path), message) for path, message in found]


_Told = Iterator[tuple[KeyPath, str]]


def _twice(config: Config) -> _Told:
    seen: dict[str, str] = {}
    for section, key, names in (
        ("recipients", "address", [each.address for each in config.recipients]),
        ("channels", "name", [each.name for each in config.channels]),
        ("webhooks", "name", [each.name for each in config.webhooks]),
    ):
        for number, name in enumerate(names):
            first = seen.setdefault(name.casefold(), f"{section}[{number}]")
            if first != f"{section}[{number}]":
                yield (section, number, key), f"{name!r} is already in {first}; keep one"


def _unknown(config: Config) -> _Told:
    keys = {target.key for target in config.targets}
    lists = {each.name for each in config.watchlists}
    for number, watchlist in enumerate(config.watchlists):
        for place, name in enumerate(watchlist.recipients):
            if name not in keys:
                advice = nearest(name, keys) or "; add it under recipients:, channels: or webhooks:"
                yield ("watchlists", number, "recipients", place), f"no such recipient: {name}{advice}"
    for number, recipient in enumerate(config.recipients):
        for place, name in enumerate(recipient.watchlists):
            if name not in lists:
                yield ("recipients", number, "watchlists", place), f"no such watchlist: {name}{nearest(name, lists)}"


def _unreachable(config: Config) -> _Told:
    if config.recipients and config.mail is None:
        yield ("recipients",), "need a mail server; add mail: with sender: and server:"


def _impossible_times(config: Config) -> _Told:
    for number, recipient in enumerate(config.recipients):
        zone, at = recipient.timezone or config.digest.timezone, recipient.at or config.digest.at
        day = clock_change_at(at, zone)
        if day:
            key = "at" if recipient.at else "timezone"
            yield (
                ("recipients", number, key),
                f"at {at:%H:%M} the clocks change in {zone} ({day}): that time is missing or comes twice; "
                'add at: "06:30" or another time away from the night',
            )


def _rehearsed(config: Config) -> _Told:
    """A rehearsal tells invented things: they must not reach anyone."""
    if config.rehearsal is None:
        for number, hook in enumerate(config.webhooks):
            if is_loopback(urlsplit(hook.url).hostname or ""):
                yield ("webhooks", number, "url"), "this machine may be posted to in a rehearsal only"
        return
    if config.mail and config.mail.server and not is_loopback(config.mail.server):
        yield ("mail", "server"), "a rehearsal sends to this machine only; write 127.0.0.1, or take rehearsal: out"
    for number, hook in enumerate(config.webhooks):
        if not is_loopback(urlsplit(hook.url).hostname or ""):
            yield ("webhooks", number, "url"), "a rehearsal posts to this machine only; take it or rehearsal: out"
