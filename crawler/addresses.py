"""Which addresses the crawler may reach: the public internet, and in a rehearsal one loopback server instead.

Three fences, since each can be walked round alone: the scheme and host of every request (redirects and
robots.txt are requests too), the Location of a redirect that Scrapy would not follow, and every address that a
name resolves to, checked where the connection takes it from, so that a name which changes its answer gains nothing.
"""

# ruff: noqa: N802, N803 - named by Twisted's interfaces

from __future__ import annotations

import socket
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from crawler.folder import Reading, reading_of

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

LOCAL_SUFFIXES = (
    ".localhost",
    ".localdomain",
    ".local",
    ".internal",
    ".intranet",
    ".lan",
    ".home",
    ".corp",
    ".private",
    ".home.arpa",
)
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def is_public(address: str) -> bool:
    """True if this IP address is on the public internet, also through what it wraps (v4 in v6, 6to4, Teredo, NAT64)."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        parts: list[IPv4Address | IPv6Address] = [ip, *_wrapped(ip)]
        return all(_is_global(part) for part in parts)
    return _is_global(ip)


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return _is_global(ip.ipv4_mapped)
    return ip.is_global and not ip.is_multicast and not getattr(ip, "is_site_local", False)


def _wrapped(ip: IPv6Address) -> list[IPv4Address]:
    found = [part for part in (ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())) if part is not None]
    if any(ip in network for network in _NAT64):
        found.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    return found


def refusal(url: str) -> str:
    """Why this address must not be asked for, in words; empty if nothing speaks against it."""
    try:
        parts = urlsplit(url)
        host = unicodedata.normalize("NFKC", parts.hostname or "").rstrip(".").lower()
        port = parts.port
    except ValueError as error:
        return f"not an address that can be read ({error})"
    if parts.scheme not in ("http", "https"):
        return f"only http and https are read, not {parts.scheme or 'an address without a scheme'}:"
    if not host or port == 0:
        return "the address names no host"
    return _host_refusal(host)


@lru_cache(maxsize=1_000)
def _host_refusal(host: str) -> str:
    literal = _as_ip(host)
    if literal:
        if _is_odd(host, literal):
            return f"{host} is {literal} written in another form"
        return "" if is_public(literal) else f"{literal} is not a public address"
    if "." not in host:
        return f"{host} is a name of this machine or its own network"
    if host.endswith(LOCAL_SUFFIXES):
        return f"{host} is a name within a private network"
    return ""


def _as_ip(host: str) -> str:
    """The IP address that this host is, in any form that a C library accepts (2130706433, 0x7f.1); else empty."""
    try:
        return str(ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        pass  # not in the usual form: perhaps in one of the others
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return ""


def _is_odd(host: str, literal: str) -> bool:
    return ":" not in host and host != literal


@implementer(IResolutionReceiver)
class _Checked:
    """Takes the addresses of one name and passes them on together, or none of them if one must not be reached."""

    def __init__(self, receiver: Any, host: str, resolver: GuardedResolver) -> None:
        self._receiver = receiver
        self._host = host
        self._resolver = resolver
        self._addresses: list[Any] = []

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: IAddress) -> None:
        self._addresses.append(address)

    def resolutionComplete(self) -> None:
        bad = [a for a in self._addresses if not self._resolver.may_reach(a.host, a.port)]
        if bad:
            self._resolver.reading.refused[self._host.lower()] = bad[0].host
        else:
            for address in self._addresses:
                self._receiver.addressResolved(address)
        self._receiver.resolutionComplete()


@implementer(IHostnameResolver)
class GuardedResolver:
    """Twisted connects to exactly what this gives out, so a check here cannot be outrun by a second answer."""

    def __init__(self, reactor: ReactorBase, reading: Reading) -> None:
        self.reactor: Any = reactor
        self.reading = reading
        self._inner: Any = self.reactor.nameResolver
        rehearsal = reading.config.rehearsal if reading.mode == "rehearsal" else None
        self._only = urlsplit(f"//{rehearsal.address}") if rehearsal else None

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: ReactorBase) -> GuardedResolver:
        return cls(reactor, reading_of(crawler))

    def install_on_reactor(self) -> None:
        self.reactor.installNameResolver(self)

    def may_reach(self, address: str, port: int) -> bool:
        if self._only is None:
            return is_public(address)
        return ip_address(address).is_loopback and port == self._only.port

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        receiver = _Checked(resolutionReceiver, hostName, self)
        resolution: IHostResolution = self._inner.resolveHostName(
            receiver, hostName, portNumber, addressTypes, transportSemantics
        )
        return resolution
