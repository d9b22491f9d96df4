"""Small spiders for the tests of the engine: the real ones have tests of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.http import Response, TextResponse

from crawler.source import LayoutChangedError, Records, SourceSpider, capture_of
from monitor.records import NoticeRecord, NoticeType, PageRecord, SourceCard

LINKS = "a.notice::attr(href)"


def read(response: Response, card: SourceCard) -> Records:
    """The heading of a page, as a notice or as a page, by the card's kind."""
    assert isinstance(response, TextResponse)
    title = response.css("h1::text").get("")
    if not title:
        raise LayoutChangedError(f"no h1 on {response.url}")
    if title == "broken":
        raise KeyError("this page cannot be read")
    if card.kind == "page":
        yield PageRecord(source=card.id, url=response.url, capture=capture_of(response), title=title)
        return
    yield NoticeRecord(
        source=card.id,
        key=response.url,
        notice_type=NoticeType.ALERT,
        title=title,
        url=response.url,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        text=" ".join(response.css("body ::text").getall()).strip(),
        captures=(capture_of(response),),
    )


class Spider(SourceSpider):
    """A list page of links, each read unless it is known; or with `pages`, just those."""

    def begin(self) -> Iterator[scrapy.Request]:
        if self.request.pages:
            for url in self.request.pages:
                yield scrapy.Request(url, callback=self.parse_notice)
        else:
            yield from super().begin()

    def parse(self, response: Response, **kwargs: Any) -> Iterator[scrapy.Request]:
        for link in response.css(LINKS).getall():
            url = response.urljoin(link)
            self.book.list_entry(url, digest="1")
            if self.is_known(url, "1"):
                self.book.known += 1
            else:
                yield scrapy.Request(url, callback=self.parse_notice)
        following = response.css("a.next::attr(href)").get()
        if following:
            yield response.follow(following, callback=self.parse)

    def parse_notice(self, response: Response) -> Records:
        yield from read(response, self.card)
        if self.card.options.get("yields_rubbish"):
            yield {"title": "a dict"}  # type: ignore[misc]


class PostSpider(SourceSpider):
    """Asks one address twice by POST, with different bodies: only the body tells the answers apart."""

    def begin(self) -> Iterator[scrapy.Request]:
        for number in (1, 2):
            yield scrapy.FormRequest(self.card.start, formdata={"page": str(number)}, callback=self.parse)

    def parse(self, response: Response, **kwargs: Any) -> Records:
        for record in read(response, self.card):
            yield record.model_copy(update={"key": record.title}) if isinstance(record, NoticeRecord) else record
