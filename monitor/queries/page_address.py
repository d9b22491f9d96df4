"""Finding a page by an address as people write it: scheme, `www.`, the last slash, fragments and tracking left open."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.queries.page_rows import Sought
from monitor.tables.db import reading
from monitor.tables.models import Page
from monitor.webname import hosts_like

_TRACKING = re.compile(r"^(utm_\w+|gclid|fbclid|msclkid|dclid|mc_[ce]id|_ga|ref|srsltid)$", re.IGNORECASE)
_NEAREST = 5
_ENTRY = ".json"
"""What a shop's own address of a catalogue's entry has at its end, beside the address that visitors see."""


def find_page(engine: Engine, address: str) -> Sought:
    """The page that is meant; where several are, the one written just so, then one that is there still."""
    with reading(engine) as session:
        wanted = key_of(address)
        if wanted is None:
            return Sought(None)
        host = wanted[0]
        hosts = {host, _other_form(host)}
        held = session.exec(
            select(Page.id, Page.url, Page.state, Page.last_read)
            .where(col(Page.host).in_(hosts))
            .order_by(col(Page.id))
        ).all()
        if not held:
            return Sought(None, _sites_like(session, host))
        keys = {key: (key_of(url), url, state, read) for key, url, state, read in held}
        for meant in (wanted, (wanted[0], wanted[1], f"{wanted[2]}{_ENTRY}", wanted[3])):
            met = [
                (url == address, state == "live", read, page)
                for page, (key, url, state, read) in keys.items()
                if key == meant
            ]
            if met:
                return Sought(max(met)[3], host_known=True)
        urls = [url for _, url, _, _ in held]
        from rapidfuzz import fuzz, process  # late: most addresses are found as they are written

        nearest = process.extract(address, urls, scorer=fuzz.ratio, limit=_NEAREST)
        return Sought(None, tuple(url for url, _, _ in nearest), host_known=True)


def key_of(address: str) -> tuple[str, str, str, tuple[tuple[str, str], ...]] | None:
    """What two ways of writing one address have in common: host, port, path, parameters; None for what is none."""
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = "" if parts.port in (None, 80, 443) else str(parts.port)
    except ValueError:  # a port that is no number, a broken IPv6 address
        return None
    host = _as_stored((parts.hostname or "").rstrip(".").removeprefix("www."))
    if not host:
        return None
    asked = [(name, value) for name, value in parse_qsl(parts.query, True) if not _TRACKING.match(name)]
    return host, port, unquote(parts.path).rstrip("/"), tuple(sorted(asked))


def _as_stored(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def _other_form(host: str) -> str:
    """`xn--…` as its letters."""
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        return host


def _sites_like(session: Session, host: str) -> tuple[str, ...]:
    """Where the host itself is not known: front pages of hosts that are written nearly so."""
    hosts = session.exec(select(Page.host).distinct()).all()
    nearest = []
    for name in hosts_like(host, hosts, _NEAREST):
        urls = session.exec(select(Page.url).where(Page.host == name)).all()
        nearest.append(min(urls, key=lambda url: (len(url), url)))
    return tuple(nearest)
