"""Finds watchlists that can never match, or that match everything. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from monitor.config import Config, Watchlist
from monitor.knowledge.law import Law
from monitor.watching.watchlists import ABOUT_SOURCES, SEVERITY_RANK, folded_domain, folded_term, is_whole

_ABOUT_NOTICES = frozenset({"notice_published", "notice_updated"})
_ABOUT_REGISTERS = frozenset(
    {
        "trial_registered",
        "trial_status_changed",
        "publication_indexed",
        "publication_retracted",
        "authorisation_granted",
        "authorisation_changed",
    }
)
_ABOUT_PAGES = frozenset({"page_gone", "page_back"})
_ABOUT_PRODUCTS = frozenset({"product_changed"})


@dataclass(frozen=True)
class ListFinding:
    """Something about a list that its owner should know. An error: as it stands the list is of no use."""

    watchlist: str
    level: Literal["error", "warning"]
    message: str


def severity_ceilings(law: Law, jurisdictions: Sequence[str]) -> dict[str, str]:
    """Category → the highest severity that a rule of these jurisdictions gives it."""
    ceilings: dict[str, str] = {}
    for code in jurisdictions:
        for rule in law.rule_sets[code].rules if code in law.rule_sets else ():
            for category in rule.categories:
                if SEVERITY_RANK[rule.severity] > SEVERITY_RANK.get(ceilings.get(category, ""), 0):
                    ceilings[category] = rule.severity
    return ceilings


def check_lists(config: Config, today: date, ceilings: Mapping[str, str]) -> list[ListFinding]:
    """Check every list. `ceilings`: category → the highest severity that any of its rules gives."""
    return [
        finding
        for watchlist in config.watchlists
        for finding in check_list(watchlist, config, today=today, ceilings=ceilings)
    ]


def check_list(watchlist: Watchlist, config: Config, *, today: date, ceilings: Mapping[str, str]) -> list[ListFinding]:
    """What is wrong with one list."""
    errors = [*_never(watchlist, ceilings), *_ran_out(watchlist, today)]
    if not _narrows(watchlist):
        errors.append("gives nothing to look for, so it would match everything; add terms: or another criterion")
    warnings = [*_wide(watchlist, config), *_elsewhere(watchlist, config), *_partly_dead(watchlist)]
    return [ListFinding(watchlist.name, "error", message) for message in errors] + [
        ListFinding(watchlist.name, "warning", message) for message in warnings
    ]


def _narrows(watchlist: Watchlist) -> bool:
    given = (
        watchlist.terms,
        watchlist.names,
        watchlist.domains,
        watchlist.categories,
        watchlist.jurisdictions,
        watchlist.min_severity,
        watchlist.events,
    )
    return any(given)


def _ran_out(watchlist: Watchlist, today: date) -> Iterator[str]:
    if watchlist.until and watchlist.until < today:
        yield f"ran out on {watchlist.until}; move until: forward, or remove the list"


def _never(watchlist: Watchlist, ceilings: Mapping[str, str]) -> Iterator[str]:
    """Criteria that cannot all be met at once."""
    excluded = [folded_term(term) for term in watchlist.exclude]
    if watchlist.terms and all(_is_excluded(folded_term(term), excluded) for term in watchlist.terms):
        yield "can never match: exclude: rules out every one of its terms; remove one or the other"
    for key, values in (("terms", watchlist.terms), ("names", watchlist.names)):
        for value in values:
            if not any(char.isalnum() for char in folded_term(value)):
                yield f"{key}: {value!r} has no letter or digit, so it can never be found; remove it"
    for domain in watchlist.domains:
        if "." not in folded_domain(domain):
            yield f"domains: {domain!r} is no domain; write it as follica.example"
    kinds = set(watchlist.events)
    ungraded = _ABOUT_NOTICES | _ABOUT_REGISTERS | _ABOUT_PRODUCTS | ABOUT_SOURCES
    without_claim = ungraded | _ABOUT_PAGES
    if watchlist.categories and kinds and kinds <= without_claim:
        yield "can never match: categories: belong to claims, and events: names none about claims"
    if watchlist.min_severity and kinds and kinds <= ungraded:
        yield "can never match: only claims and pages have a severity, and events: names none about them"
    if watchlist.domains and kinds and kinds <= ABOUT_SOURCES | _ABOUT_REGISTERS:
        yield "can never match: events about sources and registers have no domains"
    if watchlist.min_severity and watchlist.categories:
        reached = [ceilings.get(category, "") for category in watchlist.categories]
        if all(SEVERITY_RANK.get(severity, 0) < SEVERITY_RANK[watchlist.min_severity] for severity in reached):
            yield (
                f"can never match: no rule for {', '.join(watchlist.categories)} gives {watchlist.min_severity}; "
                f"lower min_severity: (at most {max(reached, key=lambda s: SEVERITY_RANK.get(s, 0)) or 'none'})"
            )


def _is_excluded(term: str, excluded: list[str]) -> bool:
    return any(_stands_in(each, term) for each in excluded)


def _stands_in(part: str, whole: str) -> bool:
    start = whole.find(part)
    while part and start >= 0:
        if is_whole(whole, start, start + len(part)):
            return True
        start = whole.find(part, start + 1)
    return False


def _partly_dead(watchlist: Watchlist) -> Iterator[str]:
    excluded = [folded_term(term) for term in watchlist.exclude]
    dead = [term for term in watchlist.terms if _is_excluded(folded_term(term), excluded)]
    if dead and len(dead) < len(watchlist.terms):
        yield f"exclude: rules out these of its terms: {', '.join(dead)}"


def _wide(watchlist: Watchlist, config: Config) -> Iterator[str]:
    """Lists that are hardly narrower than everything."""
    if watchlist.terms or watchlist.names or watchlist.domains or watchlist.categories:
        for term in watchlist.terms:
            if len(folded_term(term)) < 3 and folded_term(term).isascii():
                yield f"terms: {term!r} is very short and will be met often; try it: exowatch watch try"
        return
    narrow = watchlist.min_severity in ("High", "Medium") or bool(watchlist.events)
    everywhere = not watchlist.jurisdictions or set(config.jurisdictions) <= set(watchlist.jurisdictions)
    if _narrows(watchlist) and everywhere and not narrow:
        yield "matches nearly everything; add terms:, names:, domains:, categories: or min_severity:"


def _elsewhere(watchlist: Watchlist, config: Config) -> Iterator[str]:
    """Places that nothing is read from or judged for."""
    idle = [code for code in watchlist.jurisdictions if code not in config.jurisdictions]
    if idle:
        yield f"jurisdictions: {', '.join(idle)}: claims are not judged there (see jurisdictions: at the top)"
    hosts = [folded_domain(site.url) for site in config.sites]
    unread = [
        domain
        for domain in map(folded_domain, watchlist.domains)
        if not any(host == domain or host.endswith(f".{domain}") for host in hosts)
    ]
    if unread:
        yield f"domains: {', '.join(unread)} are not among sites:; only notices that quote them can match"
