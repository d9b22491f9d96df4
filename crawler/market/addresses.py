"""A page's identity, which addresses belong to a site, and which lead nowhere."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from scrapy.linkextractors import IGNORED_EXTENSIONS
from w3lib.url import safe_url_string

_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|gbraid|wbraid|dclid|msclkid|yclid|ttclid|twclid|igshid|srsltid|mc_[ce]id|_ga|_gl|_hs\w+|hs\w+tracking"
    r"|phpsessid|jsessionid|aspsessionid\w*|sessionid|session_id|sid|cfid|cftoken|zenid|oscsid",
    re.IGNORECASE,
)
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;?]*|/\((?:[SAFX]\([^()/]*\))+\)", re.IGNORECASE)
"""Java's and PHP's; the second is ASP.NET's: `/(S(lit3py55t21z5v55vlm25s55))/`."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST = 2000
_MOST_PARAMETERS = 4

_TRAP_PATH = re.compile(
    r"/(?:cart|basket|warenkorb|panier|carrito|checkout|kasse|login|log-in|signin|sign-in|signup|sign-up|register|logout"
    r"|account|my-account|mein-konto|mon-compte|mi-cuenta|wishlist|compare|password|wp-admin|wp-login\.php|wp-json|xmlrpc\.php"
    r"|cdn-cgi|feed|rss|calendar|kalender|calendrier|search|suche|recherche|admin|api|print|share)(?:/|$)"
    r"|/events?/\d{4}|/\d{4}/\d{1,2}/\d{1,2}/?$|/date/\d",
    re.IGNORECASE,
)
_TRAP_QUERY = re.compile(
    r"(?:^|&)(?:add[-_]to[-_]cart|add[-_]to[-_]wishlist|replytocom|share|print|s|q|search|month|day|date|tribe[-\w]*|ical"
    r"|order[-_]?by|sort(?:[-_]?by)?|filter[-_\w]*|min_price|max_price|view|redirect(?:_to)?|return(?:_?url)?|action)=",
    re.IGNORECASE,
)


@lru_cache(maxsize=50_000)
def normalise(url: str) -> str:
    """A page's identity: no fragment, tracking parameters or session ids, parameters in order, host in lower case.

    A slash at the end is kept as it is served: to some servers it makes another page. Empty for what is no
    address of the web.
    """
    try:
        parts = urlsplit(safe_url_string(url.strip()))
        port = parts.port
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return ""
    name = f"[{host}]" if ":" in host else host
    netloc = name if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{name}:{port}"
    pairs = sorted(pair for pair in parts.query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0]))
    path = _SESSION_IN_PATH.sub("", parts.path) or "/"
    return urlunsplit((parts.scheme, netloc, path, "&".join(pairs), ""))


_LOGIN = re.compile(
    r"/(?:login|log-in|signin|sign-in|wp-login\.php|account/login|my-account|password|anmelden|connexion|acceso)/?$",
    re.IGNORECASE,
)


def asks_for_login(url: str) -> bool:
    """True for an address at which sites ask who one is."""
    return bool(_LOGIN.search(unquote(urlsplit(url).path)))


def is_pdf(url: str) -> bool:
    """True for an address that ends as a PDF's does."""
    return urlsplit(url).path.lower().endswith(".pdf")


def same_site(url: str, home: str) -> bool:
    """True for the home page's host and the hosts below it, on its own port. `www.` counts for nothing."""
    try:
        one, other = urlsplit(url), urlsplit(home)
        same_port = _port(one) == _port(other) or {_port(one), _port(other)} == {80, 443}
    except ValueError:
        return False
    base = (other.hostname or "").lower().removeprefix("www.")
    host = (one.hostname or "").lower()
    return one.scheme in _DEFAULT_PORTS and same_port and (host == base or host.endswith(f".{base}"))


def _port(parts: SplitResult) -> int:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def is_trap(url: str) -> bool:
    """True for carts, logins, calendars, sorted and filtered lists, files that are no pages, and endless addresses."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    steps = [step for step in path.split("/") if step]
    extension = steps[-1].rpartition(".")[2].lower() if steps and "." in steps[-1] else ""
    return (
        len(url) > _LONGEST
        or extension in _NO_PAGES
        or parts.query.count("&") >= _MOST_PARAMETERS
        or any(steps.count(step) > 2 for step in set(steps))
        or bool(_TRAP_PATH.search(path))
        or bool(_TRAP_QUERY.search(parts.query))
    )


_NO_PAGES = frozenset(IGNORED_EXTENSIONS) - {"pdf"} | {
    "xml",
    "json",
    "txt",
    "ics",
    "webp",
    "avif",
    "woff",
    "woff2",
    "map",
}
