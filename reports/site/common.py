"""What every part of the site needs: a page from a template, and the answer for what is not there."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse

from monitor.config import Config
from monitor.queries.feeds import FeedAsk
from reports.exports.feeds import FORMATS, address_of, title_of
from reports.render import render
from reports.site import find


def page(template: str, here: str, *, status: int = 200, rehearsal: bool = False, **values: Any) -> HTMLResponse:
    """`here` is the page's own path, which the navigation marks; `feed`, if given, is the feed that it belongs to."""
    asked = values.pop("asked", find.Asked())
    about = values.pop("feed", FeedAsk())
    links = [(FORMATS[form], f"{title_of(about)} ({form})", address_of(about, form)) for form in FORMATS]
    content = render(
        template, here=here, rehearsal=rehearsal, asked=asked, choices=find.CHOICES, feed_links=links, **values
    )  # fmt: skip
    return HTMLResponse(content, status_code=status)


def refuse(title: str, help: str, status: int = 400) -> HTMLResponse:
    """A page that says what is wrong with an address, and what to do."""
    return page("error.html", "", status=status, title=title, help=help)


def sentence(problem: Exception) -> str:
    """What is wrong, as a sentence."""
    told = str(problem)
    return f"{told[:1].upper()}{told[1:]}."


def missing() -> Any:
    raise HTTPException(404)


def base_of(config: Config, request: Request) -> str:
    """What goes before a path to make an address: where readers reach the site, or where this one reached it."""
    return str(config.public_site or request.base_url).rstrip("/")
