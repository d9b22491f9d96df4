"""Who is who: names folded, organisations found or made, hosts tied to them with the reason why."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlmodel import Session, select

from monitor.tables.db import id_of
from monitor.tables.models import Organisation, OrganisationAlias

if TYPE_CHECKING:
    from tldextract import TLDExtract

_LEGAL_FORMS = re.compile(
    r"\b(incorporated|inc|llc|l\.l\.c|ltd|limited|plc|corp|corporation|company|co|gmbh|ag|kg|ug|se|sa|s\.a|sas|sarl|srl|s\.r\.l|spa|"
    r"s\.p\.a|sl|s\.l|bv|b\.v|nv|oy|ab|as|aps|pty|pte|kk|lp|llp|pllc|pc|de c\.?v|sa de cv)\b\.?",
)
_DBA = re.compile(
    r"\b(?:d\.?/?b\.?/?a\.?|trading as|doing business as|t/a|previously operating as|formerly)\b", re.IGNORECASE
)
SHARED_HOSTS = frozenset(
    {
        *(
            "facebook.com",
            "instagram.com",
            "youtube.com",
            "youtu.be",
            "twitter.com",
            "x.com",
            "linkedin.com",
            "tiktok.com",
        ),
        *("pinterest.com", "google.com", "amazon.com", "ebay.com", "etsy.com", "wikipedia.org", "apple.com"),
        *("microsoft.com", "vimeo.com", "linktr.ee"),
    }
)
"""Hosts that many organisations share: an address on one of them names nobody."""


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    """The list of public suffixes that comes with the package: nothing is fetched, nothing is written."""
    from tldextract import TLDExtract  # late: it takes a tenth of a second to load

    return TLDExtract(suffix_list_urls=(), cache_dir=None)


def fold_name(name: str) -> str:
    """A name without case, accents, punctuation and legal form: `Kelda Labs, L.L.C.` → `kelda labs`."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).casefold()
    without = _LEGAL_FORMS.sub(" ", plain)
    folded = " ".join(re.sub(r"[^\w]+", " ", without).split())
    return folded or " ".join(plain.split())


def names_in(name: str) -> tuple[str, ...]:
    """The names in a name: `A LLC d/b/a B` gives both."""
    parts = [part.strip(" ,;()") for part in _DBA.split(name)]
    return tuple(part for part in parts if part)


def host_of(url: str) -> str:
    """The host of an address without `www.`, in lower case; empty if it has none."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return (parts.hostname or "").lower().removeprefix("www.")


def registrable(host: str) -> str:
    """The part of a host that someone registered: `shop.kelda.example` → `kelda.example`."""
    found = _suffixes()(host)
    if found.domain and found.suffix:
        return f"{found.domain}.{found.suffix}"
    return ".".join(host.split(".")[-2:])


def is_own_host(host: str) -> bool:
    """True if a host can belong to one seller: no shared platform, no government."""
    base = registrable(host)
    return (
        bool(base)
        and "." in host
        and base not in SHARED_HOSTS
        and not re.search(r"(^|\.)(gov|gob|gouv|gc|govt)(\.|$)", host)
    )


def find_or_make(session: Session, name: str, seen: datetime, *, country: str = "", basis: str) -> Organisation:
    """The organisation of this name, made if it is not there. Every name in it becomes an alias."""
    names = names_in(name) or (name,)
    found = None
    for one in names:
        found = _by_name(session, one)
        if found:
            break
    if found is None:
        found = Organisation(
            name=names[0] if len(names) > 1 else name, folded=fold_name(names[0]), country=country, first_seen=seen
        )
        session.add(found)
        session.flush()
    for one in names:
        add_alias(session, found, "name", one, basis)
    return found


def _by_name(session: Session, name: str) -> Organisation | None:
    folded = fold_name(name)
    direct = session.exec(select(Organisation).where(Organisation.folded == folded)).first()
    if direct:
        return direct
    return session.exec(
        select(Organisation)
        .join(OrganisationAlias, OrganisationAlias.organisation_id == Organisation.id)  # type: ignore[arg-type]
        .where(OrganisationAlias.kind == "folded", OrganisationAlias.value == folded)
    ).first()


def by_host(session: Session, host: str) -> Organisation | None:
    """The one organisation that this host, or the name it was registered under, is tied to."""
    candidates = {host, registrable(host)}
    return session.exec(
        select(Organisation)
        .join(OrganisationAlias, OrganisationAlias.organisation_id == Organisation.id)  # type: ignore[arg-type]
        .where(OrganisationAlias.kind == "host", OrganisationAlias.value.in_(candidates))  # type: ignore[attr-defined]
        .order_by(OrganisationAlias.id)  # type: ignore[arg-type]
    ).first()


def add_alias(session: Session, organisation: Organisation, kind: str, value: str, basis: str) -> None:
    """Tie a name or host to an organisation, once, with the reason."""
    pairs = [(kind, value)] + ([("folded", fold_name(value))] if kind == "name" else [])
    for alias_kind, alias_value in pairs:
        exists = session.exec(
            select(OrganisationAlias.id).where(
                OrganisationAlias.organisation_id == organisation.id,
                OrganisationAlias.kind == alias_kind,
                OrganisationAlias.value == alias_value,
            )
        ).first()
        if exists is None:
            session.add(
                OrganisationAlias(organisation_id=id_of(organisation), kind=alias_kind, value=alias_value, basis=basis)
            )
    session.flush()
