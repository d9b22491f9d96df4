"""How what goes wrong below the spiders gets into `spider.book`, in words, once, and with a bound."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest

from crawler.source import RunBook
from monitor.records import Problem

Kind = Literal[
    "blocked",
    "layout_changed",
    "wrong_content_type",
    "parse_error",
    "http_error",
    "download_error",
    "refused_address",
    "robots",
    "too_large",
    "limit_reached",
    "soft_404",
]
MOST_OF_A_KIND = 100
"""Problems of one kind that run.json spells out; further ones are counted in `not_kept`."""


class RefusedRequest(IgnoreRequest):
    """A request or its answer that goes no further, and why. It reaches the request's errback, never its callback."""

    def __init__(self, kind: Kind, message: str, *, of_host: bool = False) -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message
        self.of_host = of_host
        """It says something about the whole host, and is noted once for it."""


@lru_cache(maxsize=1_000)
def host_of(url: str) -> str:
    """Asked by everything that a request passes on its way."""
    return (urlsplit(url).hostname or "").lower()


def note(book: RunBook, kind: Kind, message: str, url: str = "", capture: str = "") -> None:
    """Put a problem into the book. The same one twice is one; beyond a hundred of a kind they are counted."""
    problem = Problem(kind=kind, message=message, url=url, capture=capture)
    if problem in book.problems:
        return
    if Counter(p.kind for p in book.problems)[kind] >= MOST_OF_A_KIND:
        book.leave_out(f"further problems: {kind}")
        return
    book.problems.append(problem)


def book_of(crawler: Any) -> RunBook:
    book: RunBook = crawler.spider.book
    return book
