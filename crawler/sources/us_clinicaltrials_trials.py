"""Trials registered at ClinicalTrials.gov, by its API v2 (clinicaltrials.gov/data-api/api).

The list is asked for whole, most recently updated first: it is some hundreds of studies, and each answer holds them
complete. A registered trial is what a sponsor entered; the registry approves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.answers import (
    AnswerSpider,
    digest_of_json,
    labelled,
    list_field,
    refuse_error,
    text_field,
    text_list,
)
from crawler.sources.literature import first_day, need
from crawler.sources.reading import json_of
from monitor.records import SourceCard, TrialRecord

REFUSED = (400, 404)
"""Statuses whose body says what was wrong with the question."""


class Options(BaseModel):
    """The card's `options`: the question as the interface wants it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: dict[str, str] = Field(min_length=1)
    """`query.*` parameters with their values, e.g. `term: exosome OR secretome`."""
    page_size: int = Field(default=100, ge=1, le=1000)


def address_of(start: str, options: Options, since: date | None, token: str = "") -> str:
    """One page's address. Every parameter goes along with each page token."""
    asked = {f"query.{name}": value for name, value in options.query.items()}
    if since:
        asked["filter.advanced"] = f"AREA[LastUpdatePostDate]RANGE[{since},MAX]"
    # without `fields` the results come along, which are some megabytes a study
    asked |= {"fields": "ProtocolSection,HasResults", "sort": "LastUpdatePostDate:desc", "format": "json"}
    asked |= {"pageSize": str(options.page_size), "countTotal": "true"}
    return f"{start}?{urlencode(asked | ({'pageToken': token} if token else {}))}"


def read_answer(payload: Any, where: str) -> tuple[list[Any], int | None, str]:
    """The studies of one page, how many match in all (said on the first page only), and the next page's token.

    Raises LayoutChangedError if it is no answer of this interface.
    """
    if not isinstance(payload, dict) or not isinstance(payload.get("studies"), list):
        raise LayoutChangedError(f"no answer of ClinicalTrials.gov: `studies` is missing ({where})")
    total, token = payload.get("totalCount"), payload.get("nextPageToken") or ""
    if total is not None and (isinstance(total, bool) or not isinstance(total, int) or total < 0):
        raise LayoutChangedError(f"`totalCount` is {total!r}, not a number ({where})")
    if not isinstance(token, str):
        raise LayoutChangedError(f"`nextPageToken` is {token!r}, not text ({where})")
    return payload["studies"], total, token


def trial_of(study: Any, card: SourceCard, capture: str) -> TrialRecord:
    """One study; every module of it may be missing but number, title and status. Raises LayoutChangedError.

    A date of which only the month is given is the first day of it; `text` has it as the registry writes it.
    """
    protocol = study.get("protocolSection") if isinstance(study, dict) else None
    named, status = _module(protocol, "identificationModule"), _module(protocol, "statusModule")
    design, about = _module(protocol, "designModule"), _module(protocol, "descriptionModule")
    number = need(text_field(named, "nctId"), "`nctId`", f"a study of {card.id}")
    title = text_field(named, "briefTitle") or text_field(named, "officialTitle")
    return TrialRecord(
        source=card.id,
        key=number,
        title=need(title, "its title", number),
        url=f"https://clinicaltrials.gov/study/{number}",
        jurisdiction=card.jurisdiction,
        language=card.language,
        status=need(text_field(status, "overallStatus"), "`overallStatus`", number),
        why_stopped=text_field(status, "whyStopped"),
        study_type=text_field(design, "studyType"),
        phases=text_list(design, "phases"),
        conditions=text_list(protocol, "conditionsModule", "conditions"),
        interventions=tuple(dict.fromkeys(filter(None, (text_field(one, "name") for one in _interventions(protocol))))),
        sponsor=text_field(protocol, "sponsorCollaboratorsModule", "leadSponsor", "name"),
        countries=_countries(protocol),
        enrolment=_count(design),
        started=_date(status, "startDateStruct"),
        completed=_date(status, "primaryCompletionDateStruct"),
        posted=_date(status, "studyFirstPostDateStruct"),
        updated=_date(status, "lastUpdatePostDateStruct"),
        has_results=study.get("hasResults") is True,
        references=_references(named),
        summary=text_field(about, "briefSummary"),
        text=_text(protocol),
        captures=(capture,),
    )


def _module(protocol: Any, name: str) -> dict[str, Any]:
    found = protocol.get(name) if isinstance(protocol, dict) else None
    return found if isinstance(found, dict) else {}


def _date(status: dict[str, Any], name: str) -> date | None:
    return first_day(text_field(status, name, "date"))


def _count(design: dict[str, Any]) -> int | None:
    count = text_field(design, "enrollmentInfo", "count")
    return int(count) if count.isdecimal() else None


def _interventions(protocol: Any) -> list[Any]:
    return list_field(protocol, "armsInterventionsModule", "interventions")


def _countries(protocol: Any) -> tuple[str, ...]:
    places = list_field(protocol, "contactsLocationsModule", "locations")
    return tuple(dict.fromkeys(filter(None, (text_field(place, "country") for place in places))))


def _references(named: dict[str, Any]) -> tuple[str, ...]:
    numbers = [text_field(named, "orgStudyIdInfo", "id")]
    numbers += [text_field(one, "id") for one in list_field(named, "secondaryIdInfos")]
    return tuple(dict.fromkeys([*filter(None, numbers), *text_list(named, "nctIdAliases")]))


def _text(protocol: Any) -> str:
    status, design = _module(protocol, "statusModule"), _module(protocol, "designModule")
    about = _module(protocol, "descriptionModule")
    lines = [
        ("Official title", text_field(protocol, "identificationModule", "officialTitle")),
        ("Summary", text_field(about, "briefSummary")),
        ("Description", text_field(about, "detailedDescription")),
        ("Started", text_field(status, "startDateStruct", "date")),
        ("Primary completion", text_field(status, "primaryCompletionDateStruct", "date")),
        ("Completion", text_field(status, "completionDateStruct", "date")),
        ("Purpose", text_field(design, "designInfo", "primaryPurpose")),
        ("Keywords", "; ".join(text_list(protocol, "conditionsModule", "keywords"))),
        *(("Intervention", _intervention(one)) for one in _interventions(protocol)),
        *(("Primary outcome", _outcome(one)) for one in list_field(protocol, "outcomesModule", "primaryOutcomes")),
        ("Eligibility", text_field(protocol, "eligibilityModule", "eligibilityCriteria")),
    ]
    return labelled(lines)


def _intervention(one: Any) -> str:
    names = [text_field(one, "type"), text_field(one, "name"), *text_list(one, "otherNames")]
    return ". ".join(filter(None, ("; ".join(filter(None, names)), text_field(one, "description"))))


def _outcome(one: Any) -> str:
    return ". ".join(filter(None, (text_field(one, "measure"), text_field(one, "description"))))


def digest_of_study(study: dict[str, Any]) -> str:
    """Over what the sponsor entered; what the registry derives from it changes from day to day."""
    return digest_of_json([study.get("protocolSection"), study.get("hasResults")])


def read(response: Response, card: SourceCard) -> Records:
    """The studies of one answer, or the one study of its own address."""
    payload = json_of(response)
    if isinstance(payload, dict) and "protocolSection" in payload:
        yield trial_of(payload, card, capture_of(response))
        return
    studies, _total, _token = read_answer(payload, response.url)
    for study in studies:
        yield trial_of(study, card, capture_of(response))


class Spider(AnswerSpider):
    """Reads every study that matches; those that are as they were are counted and not read again."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.rows = 0
        self.total = 0
        yield self._request("")

    def _request(self, token: str) -> Request:
        url = address_of(self.card.start, self.options, self.request.since, token)
        return Request(url, self.parse, meta={"handle_httpstatus_list": list(REFUSED)})

    def parse(self, response: Response, **_: Any) -> Iterator[Request | TrialRecord]:
        refuse_error(response, REFUSED)
        studies, total, token = read_answer(json_of(response), response.url)
        self.total = total if total is not None else self.total
        self.rows += len(studies)
        for study in studies:
            try:
                trial = trial_of(study, self.card, capture_of(response))
            except LayoutChangedError as error:
                self.not_understood(error, response)
                continue
            yield from self.keep(trial, digest_of_study(study), trial.updated or trial.posted)
        self.book.listed = max(self.total, len(self.book.seen))
        if self.limit_reached(self.taken):
            return
        if token and studies:
            yield self._request(token)
        elif self.rows < self.total:
            self.ended_early(response, self.rows, self.total)
