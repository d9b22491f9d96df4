"""What the indexes of the literature share: one key for one paper, and titles and abstracts without their markup."""

from __future__ import annotations

import html
import re
from datetime import date

from crawler.page import iso_date
from crawler.source import LayoutChangedError
from crawler.sources.reading import clean

RETRACTED = frozenset({"retracted publication"})
"""Publication types of a paper that was retracted. The notice that retracts it has another."""

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_BREAKS = re.compile(r"</?(?:jats:)?(?:p|h[1-6]|div|title|br|sec|li)\b[^<>]*>", re.IGNORECASE)
_INLINE = re.compile(
    r"</?(?:jats:)?(?:i|b|u|em|strong|italic|bold|underline|sub|sup|sc|span|small|font|a|ul|ol|inline-formula)\b[^<>]*>",
    re.IGNORECASE,
)
_MOST_ESCAPES = 3


def doi_of(text: str) -> str:
    """A DOI in lower case (ISO 26324: DOIs are compared without case), without resolver or prefix; empty if none."""
    found = _DOI.search(html.unescape(text))
    return found[0].lower().rstrip(".,;") if found else ""


def paper_key(doi: str, pmid: str, otherwise: str) -> str:
    """One paper is one key in every index: its DOI, else its PubMed number, else the index's own id."""
    if doi:
        return f"doi:{doi}"
    return f"pmid:{pmid}" if pmid else otherwise


def references_of(doi: str, pmid: str, pmcid: str, *registered: str) -> tuple[str, ...]:
    """A paper's numbers, and those of the trials that it reports."""
    named = (("doi", doi), ("pmid", pmid), ("pmcid", pmcid))
    return tuple(dict.fromkeys([*(f"{name}:{number}" for name, number in named if number), *filter(None, registered)]))


def without_markup(text: str) -> str:
    """The text of a title or an abstract; headings and paragraphs begin a line.

    Indexes escape their markup once or twice. Only tags that they use are taken away: `P<0.05` stays.
    """
    for _ in range(_MOST_ESCAPES):
        bare = html.unescape(_INLINE.sub("", _BREAKS.sub("\n", text)))
        if bare == text:
            break
        text = bare
    lines = (clean(line) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def first_day(printed: str) -> date | None:
    """`2026-03-04`, or the first day of `2026-03` or `2026`; None where nothing is printed.

    Raises LayoutChangedError for anything else.
    """
    if not printed:
        return None
    if match := re.fullmatch(r"(\d{4})(?:-(\d{2}))?", printed.strip()):
        return iso_date(f"{match[1]}-{match[2] or '01'}-01")
    return iso_date(printed)


def earliest(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


def latest(*days: date | None) -> date | None:
    return max((day for day in days if day), default=None)


def is_retracted(types: tuple[str, ...]) -> bool:
    return any(name.lower() in RETRACTED for name in types)


def need(value: str, what: str, where: str) -> str:
    """`value`, which must not be empty. Raises LayoutChangedError naming what is missing and where."""
    if not value:
        raise LayoutChangedError(f"{where}: {what} is missing")
    return value
