"""Feeds on the site: `/feeds` explains them, `/feeds/news.atom` and the like are them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import FastAPI, Request, Response
from starlette.datastructures import QueryParams

from monitor import queries
from monitor.config import Config
from monitor.queries.exports import FilterError
from monitor.queries.feeds import FeedAsk
from reports import words as names
from reports.exports import feeds
from reports.exports.feed_formats import written
from reports.exports.filters import SEVERITIES, checked
from reports.languages import speech
from reports.render import line
from reports.site.common import base_of, missing, page, refuse, sentence
from reports.words import Words

_FILE = re.compile(r"(news|all)\.(atom|rss|json)")
_FRESH = {False: 300, True: 86_400}
"""Seconds for which a document may be kept without asking: the newest, an archive."""


@dataclass(frozen=True)
class Offer:
    """A feed that the page of feeds offers, with its address in each format."""

    title: str
    addresses: Mapping[str, str]


def add_feeds(app: FastAPI, engine: queries.Engine, config: Config) -> None:
    @app.get("/feeds")
    def overview(request: Request) -> Response:
        return page("feeds.html", "/feeds", groups=_offers(engine, config), base=base_of(config, request))

    @app.api_route("/feeds/{file}", methods=["GET", "HEAD"])
    def document(file: str, request: Request) -> Response:
        found = _FILE.fullmatch(file) or missing()
        try:
            asked, number = _asked(request.query_params, config, news=found[1] == "news")
        except FilterError as error:
            return refuse("There is no such feed", f"{sentence(error)} The page /feeds lists what there is.")
        return _document(engine, asked, found[2], number, base_of(config, request), request)


def _document(
    engine: queries.Engine, asked: FeedAsk, form: str, number: int | None, base: str, request: Request
) -> Response:
    frame = queries.feed_frame(engine, asked, number)
    if frame is None:
        missing()
        raise AssertionError
    etag, changed = feeds.etag_of(asked, form, frame, base), feeds.last_modified(frame, datetime.now(UTC))
    headers = {"ETag": etag, "Cache-Control": f"max-age={_FRESH[frame.number is not None]}"}
    if changed:
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    if is_unchanged(request.headers, etag, changed):
        return Response(status_code=304, headers=headers)
    told = feeds.feed(
        engine, asked, frame, base=base, address=lambda other: base + feeds.address_of(asked, form, other)
    )
    return Response(written(told, form), media_type=f"{feeds.FORMATS[form]}; charset=utf-8", headers=headers)


def is_unchanged(headers: Mapping[str, str], etag: str, changed: datetime | None) -> bool:
    """RFC 9110, section 13.2.2: a tag goes before a date, and tags are compared weakly."""
    tags = headers.get("if-none-match")
    if tags is not None:
        held = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in held or etag.removeprefix("W/") in held
    since = headers.get("if-modified-since")
    if since is None or changed is None:
        return False
    try:
        # Only the very date that was given out: a later one is a clock of its own, and proves nothing.
        return parsedate_to_datetime(since) == changed
    except (TypeError, ValueError):  # what is no date is no condition
        return False


def _asked(given: QueryParams, config: Config, *, news: bool) -> tuple[FeedAsk, int | None]:
    """What an address asks for, and the number of the archive. Raises FilterError."""
    known = {*feeds.FILTERS, "watchlist", "archive"}
    for name in given:
        if name not in known:
            raise FilterError(f"“{line(name)[:60]}” is no filter; filters are {', '.join(sorted(known))}")
    filters = {key: tuple(checked(name, value) for value in given.getlist(name)) for name, key in feeds.FILTERS.items()}
    watchlist = given.get("watchlist", "")
    if watchlist and watchlist not in {each.name for each in config.watchlists}:
        raise FilterError(f"no watchlist is called “{line(watchlist)[:60]}”; one that was deleted tells nothing more")
    return FeedAsk(news=news, watchlist=watchlist, **filters), _number(given.get("archive"))


def _number(given: str | None) -> int | None:
    if given is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", given):
        raise FilterError("an archive is named by its number")
    return int(given)


def _offers(engine: queries.Engine, config: Config) -> list[tuple[str, list[Offer]]]:
    said = Words(speech())
    codes = sorted(
        {*config.jurisdictions, *(source.jurisdiction for source in queries.sources(engine))}, key=said.jurisdiction
    )
    sources = queries.sources(engine)
    return [
        ("Everything", [_offer("News", FeedAsk()), _offer("The whole history", FeedAsk(news=False))]),
        (
            "One of your watchlists",
            [_offer(each.name, FeedAsk(watchlist=each.name)) for each in config.watchlists],
        ),
        ("One jurisdiction", [_offer(said.jurisdiction(code), FeedAsk(jurisdictions=(code,))) for code in codes]),
        ("One severity", [_offer(severity, FeedAsk(severities=(severity,))) for severity in SEVERITIES]),
        (
            "One category of claim",
            [
                _offer(said.category(code), FeedAsk(categories=(code,)))
                for code in sorted(names.CATEGORIES, key=said.category)
            ],
        ),
        ("One kind of event", [_offer(said.event(kind), FeedAsk(kinds=(kind,))) for kind in names.EVENTS]),
        ("One source", [_offer(source.title, FeedAsk(sources=(source.id,))) for source in sources]),
    ]


def _offer(title: str, asked: FeedAsk) -> Offer:
    return Offer(title, {form: feeds.address_of(asked, form) for form in feeds.FORMATS})
