"""One `PubmedArticle` of PubMed's XML as a paper. After NLM's DTD (dtd.nlm.nih.gov/ncbi/pubmed)."""

from __future__ import annotations

import re
from datetime import date
from xml.etree.ElementTree import Element

from crawler.page import long_date
from crawler.source import LayoutChangedError
from crawler.sources.literature import doi_of, earliest, is_retracted, need, paper_key, references_of
from crawler.sources.safe_xml import field, words_of
from monitor.records import PublicationRecord, SourceCard

_LANGUAGES = {
    "chi": "zh",
    "cze": "cs",
    "dut": "nl",
    "eng": "en",
    "fre": "fr",
    "ger": "de",
    "hun": "hu",
    "ita": "it",
    "jpn": "ja",
    "kor": "ko",
    "per": "fa",
    "pol": "pl",
    "por": "pt",
    "rus": "ru",
    "spa": "es",
    "tur": "tr",
    "ukr": "uk",
}
"""NLM's codes (MARC 21) of the languages that come up; any other stays as it is written."""


def pmid_of(article: Element) -> str:
    """The paper's own number; those of papers that it mentions stand deeper."""
    return field(article, "MedlineCitation/PMID") or field(article, "BookDocument/PMID")


def publication_of(article: Element, card: SourceCard, capture: str) -> PublicationRecord:
    """One paper. Raises LayoutChangedError if its number or its title is missing, or a date is none."""
    pmid = need(pmid_of(article), "a PubMed number", f"an article of {card.id}")
    doi, pmcid = _doi(article), _article_id(article, "pmc")
    types = _texts(article, "MedlineCitation/Article/PublicationTypeList/PublicationType")
    retracted_in = article.find("MedlineCitation/CommentsCorrectionsList/CommentsCorrections[@RefType='RetractionIn']")
    try:
        published = earliest(
            *(_day(one) for one in article.findall("MedlineCitation/Article/ArticleDate")),
            issue_date(article.find("MedlineCitation/Article/Journal/JournalIssue/PubDate")),
        )
        posted = _day(article.find("PubmedData/History/PubMedPubDate[@PubStatus='entrez']"))
        updated = _day(article.find("MedlineCitation/DateRevised"))
    except LayoutChangedError as error:
        raise LayoutChangedError(f"paper {pmid}: {error}") from error
    language = field(article, "MedlineCitation/Article/Language")
    return PublicationRecord(
        source=card.id,
        key=paper_key(doi, pmid, ""),
        title=need(_title(article), "its title", f"paper {pmid}"),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
        language=_LANGUAGES.get(language, language) or card.language,
        journal=field(article, "MedlineCitation/Article/Journal/Title"),
        authors=_authors(article),
        published=published,
        posted=posted,
        updated=updated,
        types=types,
        retracted=is_retracted(types) or retracted_in is not None,
        preprint="preprint" in {name.lower() for name in types},
        references=references_of(doi, pmid, pmcid, *_registered(article)),
        abstract=_abstract(article),
        captures=(capture,),
    )


def _texts(article: Element, path: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (words_of(one) for one in article.findall(path)))))


def _doi(article: Element) -> str:
    for place in article.findall("MedlineCitation/Article/ELocationID[@EIdType='doi']"):
        if place.get("ValidYN", "Y") == "Y" and (doi := doi_of(words_of(place))):
            return doi
    return doi_of(_article_id(article, "doi"))


def _article_id(article: Element, kind: str) -> str:
    """The article's own id: those of its references are lists of the same name, further down."""
    return field(article, f"PubmedData/ArticleIdList/ArticleId[@IdType='{kind}']")


def _title(article: Element) -> str:
    """In English; brackets around it say that it was translated, and stay. Some have the original title only."""
    return field(article, "MedlineCitation/Article/ArticleTitle") or field(
        article, "MedlineCitation/Article/VernacularTitle"
    )


def _authors(article: Element) -> tuple[str, ...]:
    names = []
    for author in article.findall("MedlineCitation/Article/AuthorList/Author"):
        name = " ".join(filter(None, (field(author, "LastName"), field(author, "Initials"))))
        names.append(name or field(author, "CollectiveName"))
    return tuple(dict.fromkeys(filter(None, names)))


def _registered(article: Element) -> tuple[str, ...]:
    """Numbers of the trials and data sets that the paper reports."""
    return _texts(article, "MedlineCitation/Article/DataBankList/DataBank/AccessionNumberList/AccessionNumber")


def _abstract(article: Element) -> str:
    lines = []
    for part in article.findall("MedlineCitation/Article/Abstract/AbstractText"):
        label, words = part.get("Label", ""), words_of(part)
        if words:
            lines.append(f"{label}: {words}" if label and label != "UNLABELLED" else words)
    return "\n".join(lines)


def _day(element: Element | None) -> date | None:
    """`Year`, `Month`, `Day` as children; None where there is no year."""
    if element is None or not (year := field(element, "Year")):
        return None
    return _date(year, field(element, "Month"), field(element, "Day"))


def issue_date(element: Element | None) -> date | None:
    """The date of a journal's issue: in parts, or as words in `MedlineDate` ("2012 Jul-Aug", "1998 Dec-1999 Jan").

    Its first day, as far as printed; a season is no month, and gives the year's first day.
    """
    if element is None:
        return None
    if words := field(element, "MedlineDate"):
        printed = re.match(r"(\d{4})\b(?: +([A-Za-z]{3})[a-z]*)?(?: +(\d{1,2})\b)?", words)
        return _date(printed[1], printed[2] or "", printed[3] or "") if printed else None
    return _day(element)


def _date(year: str, month: str, day: str) -> date:
    """The first day of what is printed. Raises LayoutChangedError for a day that the calendar has not."""
    if month.isdecimal():
        return long_date(f"{_NAMES[int(month) % 13]} {day or 1}, {year}")
    try:
        return long_date(f"{month} {day or 1}, {year}")
    except LayoutChangedError:
        if day:
            raise
        return long_date(f"Jan 1, {year}")


_NAMES = ("no month", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
