"""The one Jinja environment. Scraped text is hostile: it is cleaned and escaped here, whatever a template forgets."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports import words

_REORDERING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNPRINTABLE = re.compile(
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_REORDERING}\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff]")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Text without characters that hide, reorder or control: those that would mislead are shown as U+FFFD."""
    return _INVISIBLE.sub("", _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n")))


def line(text: object) -> str:
    """Text on one line, cleaned: nothing in it can begin a line, a header or a section of its own."""
    return clean(_SPACE.sub(" ", str(text))).strip()


def header(text: str, longest: int = 900) -> str:
    """A value fit for a mail header or a title: one line, no control characters, bounded."""
    flat = line(text).replace("\ufffd", "")
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def href(url: object) -> str:
    """The address if it may be linked to (http or https, with a host), else nothing."""
    text = str(url)
    if _SPACE.search(text) or _UNPRINTABLE.search(text):
        return ""
    try:
        parts = urlsplit(text)
        return text if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:  # what is no address is no link
        return ""


def day(value: date | datetime | None) -> str:
    """`17 Nov 2026`; a missing date says so."""
    return f"{value.day} {value:%b %Y}" if value else "not given"


def moment(value: datetime | None) -> str:
    """`17 Nov 2026, 04:12 UTC`; a missing moment says "never"."""
    return f"{day(value)}, {value:%H:%M} UTC" if value else "never"


def percent(value: float) -> str:
    return f"{round(value * 100)} %"


def short(text: object, longest: int = 80) -> str:
    """One line, cut at a word."""
    flat = line(text)
    return flat if len(flat) <= longest else f"{flat[:longest].rsplit(' ', 1)[0]} …"


def _finalize(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return clean(value)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates named `.html` are escaped; all others are plain text."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "line": line,
        "header": header,
        "href": href,
        "day": day,
        "moment": moment,
        "percent": percent,
        "spoken": words.spoken,
        "short": short,
    }
    made.globals |= {"words": words, "counted": words.counted}
    return made


@lru_cache(maxsize=1)
def stylesheet() -> Markup:
    """Our own stylesheet, for pages that must stand alone."""
    return Markup(files("reports").joinpath("static/site.css").read_text(encoding="utf-8"))  # noqa: S704


def render(template: str, **values: Any) -> str:
    return environment().get_template(template).render(**values)
