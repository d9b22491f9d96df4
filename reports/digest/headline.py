"""A digest in one line: its numbers, its subject, its first sentence."""

from __future__ import annotations

from collections.abc import Iterable

from reports.digest.view import Digest, Tally
from reports.languages import Speech, speech
from reports.render import header


def headline(tally: Tally, products: int, registered: int, spoken: Speech) -> str:
    """The numbers in one line: what is new first."""
    parts = [
        spoken.ngettext("%(num)s new notice on exosomes", "%(num)s new notices on exosomes", tally.notices_core),
        spoken.ngettext("%(num)s related notice", "%(num)s related notices", tally.notices_adjacent),
        spoken.ngettext("%(num)s notice updated", "%(num)s notices updated", tally.notices_updated),
        spoken.ngettext("%(num)s claim appeared", "%(num)s claims appeared", tally.appeared),
        spoken.gettext("%(num)s of them High", num=tally.appeared_high),
        spoken.ngettext("%(num)s reworded", "%(num)s reworded", tally.reworded),
        spoken.ngettext("%(num)s reappeared", "%(num)s reappeared", tally.reappeared),
        spoken.ngettext("%(num)s withdrawn", "%(num)s withdrawn", tally.withdrawn),
        spoken.ngettext(
            "%(claims)s gone with %(num)s page",
            "%(claims)s gone with %(num)s pages",
            tally.pages_gone,
            claims=tally.claims_gone,
        ),
        spoken.ngettext("%(num)s product changed", "%(num)s products changed", products),
        spoken.ngettext(
            "%(num)s change in registers and literature", "%(num)s changes in registers and literature", registered
        ),
    ]
    numbers = (
        tally.notices_core,
        tally.notices_adjacent,
        tally.notices_updated,
        tally.appeared,
        tally.appeared_high,
        tally.reworded,
        tally.reappeared,
        tally.withdrawn,
        tally.claims_gone,
        products,
        registered,
    )
    told = [part for part, number in zip(parts, numbers, strict=True) if number]
    return ", ".join(told) or spoken.gettext("nothing new")


def subject(title: str, period: str, told: str, blind: int, watchlists: Iterable[str], spoken: Speech) -> str:
    """One line for a mail's header; a period with blind sources says so."""
    lists = ", ".join(watchlists)
    about = f"{title} {period} ({lists})" if lists else f"{title} {period}"
    unseen = spoken.ngettext("%(num)s source blind", "%(num)s sources blind", blind)
    return header(f"{about}: {told}; {unseen}" if blind else f"{about}: {told}")


def lead(digest: Digest) -> str:
    """The first sentence: what is new, and how much of the field was seen."""
    spoken = speech(digest.language)
    told = headline(digest.tally, digest.products.total, digest.registered.total, spoken)
    seen = spoken.ngettext(
        "%(read)s of %(num)s source read",
        "%(read)s of %(num)s sources read",
        digest.sources_total,
        read=digest.sources_read,
    )
    return f"{told[:1].upper()}{told[1:]}. {seen}{''.join(_unseen(digest, spoken))}."


def _unseen(digest: Digest, spoken: Speech) -> Iterable[str]:
    stale = sum(source.state == "stale" for source in digest.blind)
    blind, quiet = len(digest.blind) - stale, len(digest.quiet)
    if blind:
        yield "; " + spoken.ngettext("%(num)s source blind", "%(num)s sources blind", blind)
    if stale:
        yield "; " + spoken.ngettext(
            "%(num)s source not read for too long", "%(num)s sources not read for too long", stale
        )
    never = sum(source.state == "never" for source in digest.not_read)
    if never and digest.over:
        yield "; " + spoken.ngettext(
            "%(num)s source not read by the end of the period",
            "%(num)s sources not read by the end of the period",
            never,
        )
    elif never:
        yield "; " + spoken.ngettext("%(num)s source never read yet", "%(num)s sources never read yet", never)
    if quiet:
        yield "; " + spoken.ngettext("%(num)s source quiet", "%(num)s sources quiet", quiet)
