"""What a site is when nobody has configured it: the name that someone registered. Pure; nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rapidfuzz import fuzz

from monitor.organisations import SHARED_HOSTS

if TYPE_CHECKING:
    from tldextract import TLDExtract


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    """With the list's private part: on a platform that lets names out (`kelda.shops.example`) each is its own site."""
    from tldextract import TLDExtract  # late: it takes a tenth of a second to load

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


_GOVERNMENT = re.compile(r"(^|\.)(gov|gob|gouv|gc|govt|europa|int|mil|edu)(\.|$)|\.(ac|go)\.[a-z]{2}$")
_SERVICES = frozenset(
    "adobe.com apple.com bbb.org bing.com bit.ly booksy.com calendly.com cookiebot.com docusign.com doi.org "
    "dropbox.com elfsight.com fontawesome.com github.com gmpg.org goo.gl gravatar.com healthgrades.com hotjar.com "
    "hsforms.com hubspot.com iubenda.com jotform.com jquery.com klarna.com klaviyo.com line.me mailchimp.com "
    "mozilla.org naver.com onetrust.com outlook.com patreon.com paypal.com reddit.com schema.org sciencedirect.com "
    "shopify.com shopifycdn.com skype.com snapchat.com spotify.com springer.com squarespace.com stripe.com t.co t.me "
    "telegram.org threads.net trustpilot.com tumblr.com typeform.com w3.org wa.me archive.org wechat.com weebly.com "
    "weibo.com whatsapp.com wiley.com wix.com wordpress.com wordpress.org wp.com yelp.com zendesk.com zoom.us".split()
)
"""Who serves others' sites or is linked by everyone: a link there names no seller."""
_STORES: tuple[str, ...] = (
    ".akamaized.net",
    ".amazonaws.com",
    ".cloudfront.net",
    ".doubleclick.net",
    ".google-analytics.com",
)
_STORES += (".googleapis.com", ".googletagmanager.com", ".gstatic.com", ".jsdelivr.net", ".unpkg.com", ".wixstatic.com")
"""Where files of others' sites lie, under names that look like sites."""
_COUNTRIES = re.compile(r"(amazon|baidu|bing|ebay|google|yahoo|yandex)(\.com?)?\.[a-z]{2,3}")
"""Shared by all, with a name in each country."""


_LIKE = 70.0
"""Least likeness (0–100, share of letters that agree) of two names of which one may be meant for the other."""


def host_of(url: str) -> str:
    """The host in lower case; empty if the address has none."""
    try:
        return (urlsplit(url if "://" in url else f"http://{url}").hostname or "").lower().rstrip(".")
    except ValueError:  # a broken IPv6 address
        return ""


@lru_cache(maxsize=50_000)
def site_name(host: str) -> str:
    """The site of a host: `www.kelda.example` and `shop.kelda.example` are both `kelda.example`. Empty for none."""
    if not re.fullmatch(r"[a-z0-9\u0080-\U0010ffff._-]+", host) or "." not in host or host.replace(".", "").isdigit():
        return ""
    found = _suffixes()(host)
    if found.suffix:
        return f"{found.domain}.{found.suffix}" if found.domain else ""
    return ".".join(host.split(".")[-2:])


def site_of(url: str) -> str:
    return site_name(host_of(url))


def hosts_like(host: str, known: Iterable[str], most: int = 1) -> tuple[str, ...]:
    """Known hosts that are written nearly so, the nearest first. What many names end with makes no two alike."""
    wanted = _own_part(host)
    scored = ((fuzz.ratio(wanted, _own_part(each)), fuzz.ratio(host, each), each) for each in set(known))
    found = sorted((one for one in scored if one[0] >= _LIKE), key=lambda one: (-one[0], -one[1], one[2]))
    return tuple(each for _, _, each in found[:most])


def meant_host(host: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or nothing where no known host is written nearly so."""
    found = hosts_like(host.removeprefix("www."), known)
    return f"; did you mean {found[0]}?" if found else ""


def _own_part(host: str) -> str:
    """What was chosen when the name was registered: `kelda` of `shop.kelda.co.uk`."""
    return (site_name(host) or host).partition(".")[0]


def may_be_seller(site: str) -> bool:
    """False for governments, universities, shared platforms and services: they are no sellers' sites of their own."""
    if not site or site in SHARED_HOSTS or site in _SERVICES or f".{site}".endswith(_STORES):
        return False
    return not _COUNTRIES.fullmatch(site) and not _GOVERNMENT.search(site)


def home_of(url: str) -> str:
    """The front page of an address's host; a port that is no number counts for none."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{'http' if parts.scheme == 'http' else 'https'}://{host_of(url)}{port}/"
