"""The one Jinja environment. Scraped text is hostile: it is cleaned and escaped here, whatever a template forgets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_eval_context, select_autoescape
from jinja2.nodes import EvalContext
from markupsafe import Markup

from reports.languages import LANGUAGES, Speech, speech
from reports.words import Words, counted, happenings

_REORDERING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNPRINTABLE = re.compile(
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_REORDERING}\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff]")
_SPACE = re.compile(r"\s+")
_LEAD = 30
"""Characters that are told before the first that differs."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


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


def language_tag(language: str) -> str:
    """A language as it may stand in `lang` (RFC 5646 in form); nothing for what a page invents."""
    return language if _LANGUAGE.fullmatch(language) else ""


def short(text: object, longest: int = 80) -> str:
    """One line, cut at a word."""
    flat = line(text)
    return flat if len(flat) <= longest else f"{flat[:longest].rsplit(' ', 1)[0]} …"


def differing(before: object, after: object, longest: int = 120) -> tuple[str, str]:
    """Two texts in one line each: long ones from a few words before the first that differs."""
    texts = line(before), line(after)
    if max(map(len, texts)) <= longest:
        return texts
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    start = max(texts[0].rfind(" ", 0, max(alike - _LEAD, 0)) + 1, alike - 2 * _LEAD, 0)
    shown = (f"… {text[start:]}" if start else text for text in texts)
    one, other = (short(text, longest) for text in shown)
    return one, other


def _finalize(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return clean(value)


@lru_cache(maxsize=len(LANGUAGES))
def environment(language: str = "en") -> Environment:
    """Templates named `.html` are escaped; all others are plain text. Phrases are those of the language."""
    spoken = speech(language)
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_finalize,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    made.filters |= {
        "line": line,
        "header": header,
        "href": href,
        "langtag": language_tag,
        "day": spoken.day,
        "moment": spoken.moment,
        "percent": spoken.percent,
        "number": spoken.number,
        "short": short,
    }
    words = Words(spoken)
    made.filters["spoken"] = words.spoken
    made.globals |= {"words": words, "counted": counted, "happenings": happenings, "language": language}
    made.globals |= _phrases(spoken)
    return made


def _phrases(spoken: Speech) -> dict[str, Callable[..., str]]:
    """`_`, `gettext`, `ngettext` for templates. What fills a phrase is cleaned, and escaped where the template is."""

    def filled(context: EvalContext, text: str, values: Mapping[str, Any]) -> str:
        shown = {name: line(each) if type(each) is str else spoken.value(each) for name, each in values.items()}
        return Markup(text) % shown if context.autoescape else text % shown  # noqa: S704 - our own phrases

    @pass_eval_context
    def gettext(context: EvalContext, text: str, /, **values: Any) -> str:
        return filled(context, spoken.translated(text), values)

    @pass_eval_context
    def ngettext(context: EvalContext, one: str, many: str, number: int, /, **values: Any) -> str:
        return filled(context, spoken.plural(one, many, number), {"num": number, **values})

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


@lru_cache(maxsize=4)
def stylesheet(name: str = "site") -> Markup:
    """One of our own stylesheets, for pages that must stand alone."""
    return Markup(files("reports").joinpath(f"static/{name}.css").read_text(encoding="utf-8"))  # noqa: S704


def render(template: str, language: str = "en", **values: Any) -> str:
    """Raises ValueError for a language that there is not."""
    return environment(language).get_template(template).render(**values)


_english = speech()
day, moment, percent = _english.day, _english.moment, _english.percent
