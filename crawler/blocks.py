"""Telling a page that a server sends instead of its content: apologies, captchas, challenges.

What a seller writes about captchas or denied access is content. So the words count only on a page that says
little else, and a vendor's own marks count only where that vendor puts them.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from scrapy.http import Response, TextResponse

_SCRIPTS = re.compile(r"<(script|style|noscript|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.S | re.I)
_TAGS = re.compile(r"<[^>]*>")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.S | re.I)

_CHALLENGE_TEXT = re.compile(
    r"unusual traffic|verify (?:that )?you are (?:a )?human|are you a (?:robot|human)"
    r"|(?:you are|you're) not a (?:ro)?bot"
    r"|(?:complete|solve) the captcha|automated (?:requests|queries|access|traffic)|press (?:&|&amp;|and) hold"
    r"|checking (?:if the site connection is secure|your browser)|enable javascript and cookies to continue",
    re.I,
)
_REFUSAL_TEXT = re.compile(r"access denied|captcha|you have been blocked|request (?:was )?blocked|bot detect", re.I)
_CHALLENGE_MARKUP = (
    ("bm-verify", "Akamai bot challenge"),
    ("incapsula incident id", "Imperva bot challenge"),
    ("captcha-delivery.com", "DataDome captcha"),
    ("px-captcha", "HUMAN captcha"),
    ("_cf_chl_opt", "Cloudflare challenge"),
)
_CHALLENGE_HEADERS = {
    "cf-mitigated": "Cloudflare challenge",
    "x-amzn-waf-action": "AWS WAF challenge",
    "x-datadome-captcha": "DataDome captcha",
}
_NOT_FOUND = re.compile(
    r"(?:page|content|product)(?: you \w+(?: looking for)?)? (?:(?:was |is )?not|(?:could not|can(?:no|.)t) be) found"
    r"|page (?:does not|doesn.t) exist|404\W*(?:not found|error|page|seite|erreur|fehler)|(?:error|erreur|fehler)\W*404"
    r"|seite (?:wurde )?nicht gefunden|page (?:est )?(?:introuvable|non trouv[eé]e)|pagina non trovata"
    r"|p[aá]gina (?:no|n[aã]o) (?:se )?(?:encontrad|existe)|sayfa bulunamad"
    r"|ページが見つかりません|お探しのページ|페이지를 찾을 수 없|找不到(?:页面|頁面|网页)",
    re.IGNORECASE,
)
_BARE_NOT_FOUND = re.compile(r"404|not found|nicht gefunden|introuvable", re.IGNORECASE)
"""Enough where it is all that a title says beside the site's name."""
_BETWEEN_NAMES = re.compile(r"\s+[-–—:]\s+|\s*[|·»]\s*")
_HEADING = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.S | re.I)
_HTML = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)\b", re.I)
_LONGEST_NAME = 80
"""Characters of a heading that says no more than that nothing is there."""
_REFUSING = frozenset({403, 405, 429, 503})
_LITTLE = 600
"""Characters of visible text below which a page that asks for proof of being human has no content of its own."""
_LITTLE_REFUSED = 2000
"""The same for an answer whose status is a refusal already."""
_LOOK_AT = 60_000
"""Characters of markup looked at: challenge pages are smaller, and every page passes here."""


def block_address(url: str) -> str:
    """What kind of block page stands at this address; empty if none is known to."""
    path = urlsplit(url).path.lower()
    if "/apology_objects/" in path:
        return "an apology page for suspected bots, in the form that FDA sends"
    if path.endswith("/install.php"):
        return "a bait address for suspected bots, in the form that FDA uses"
    return ""


_LOOKED_AT: WeakKeyDictionary[Response, str] = WeakKeyDictionary()


def block_page(response: Response) -> str:
    """What kind of block page this is, in words; empty if it is none. The body must be decoded already.

    Who keeps the manners asks first and who reads the page again: it is looked at once.
    """
    if (found := _LOOKED_AT.get(response)) is None:
        found = _LOOKED_AT[response] = _block_page(response)
    return found


def _block_page(response: Response) -> str:
    by_address = block_address(response.url)
    if by_address:
        return by_address
    for name, words in _CHALLENGE_HEADERS.items():
        if name in response.headers:
            return words
    host = urlsplit(response.url).hostname or ""
    if response.status == 503 and (host == "fda.gov" or host.endswith(".fda.gov")):
        return "FDA's refusal by status 503"
    if not isinstance(response, TextResponse) or not _can_hold_one(response):
        return ""
    return _by_words(response.text[:_LOOK_AT], response.status)


def _can_hold_one(response: TextResponse) -> bool:
    """Cheap look first: a large page answered with 200 is content, whatever it says."""
    kind = (response.headers.get("Content-Type") or b"").lower()
    if b"json" in kind or b"xml" in kind.replace(b"xhtml+xml", b""):
        return False
    return response.status in _REFUSING or len(response.body) <= _LOOK_AT


def _by_words(html: str, status: int) -> str:
    title = _TITLE.search(html)
    name = " ".join(title.group(1).split()) if title else ""
    if name.lower() == "fda apology":
        return "an apology page for suspected bots, in the form that FDA sends"
    limit = _LITTLE_REFUSED if status in _REFUSING else _LITTLE
    text = _visible(html, limit)
    if len(text) > limit:
        return ""
    markup = html.lower()
    for mark, words in _CHALLENGE_MARKUP:
        if mark in markup:
            return words
    said = _CHALLENGE_TEXT.search(text) or (_REFUSAL_TEXT.search(text) if status in _REFUSING else None)
    if said:
        return f'a page that says "{said.group(0)}" and little else'
    if status == 200 and name.lower() in ("access denied", "just a moment...", "attention required! | cloudflare"):
        return f'a page titled "{name}"'
    return ""


def _visible(html: str, limit: int) -> str:
    """The page's text without scripts. Most pages show more than `limit` within their first characters."""
    for size in (limit * 2, limit * 6, limit * 20, len(html)):
        # up to the end of a tag: the half of one would count as text, and some hold whole pictures
        begun = html if size >= len(html) else html[: html.rfind(">", 0, size) + 1]
        text = " ".join(_TAGS.sub(" ", _SCRIPTS.sub(" ", begun)).split())
        if len(text) > limit or size >= len(html):
            return text
    return text


def is_html(response: Response) -> bool:
    """True if an answer is a page, by its type or by how its body begins."""
    kind = (response.headers.get("Content-Type") or b"").lower()
    return b"html" in kind or bool(_HTML.match(response.body[:200].removeprefix(b"\xef\xbb\xbf")))


def soft_not_found(response: Response) -> str:
    """What a page answered with 200 says in its title or heading, if that is that there is no such page."""
    if response.status != 200 or not isinstance(response, TextResponse) or not is_html(response):
        return ""
    headings = (_visible(match[2], _LONGEST_NAME) for match in _HEADING.finditer(_SCRIPTS.sub(" ", response.text)))
    return next((said for said in headings if len(said) <= _LONGEST_NAME and says_not_found(said)), "")


def says_not_found(text: str) -> bool:
    """True if a title or heading says, in one of a dozen languages, that there is no such page."""
    parts = _BETWEEN_NAMES.split(text)
    return bool(_NOT_FOUND.search(text)) or any(_BARE_NOT_FOUND.fullmatch(part.strip(" !.")) for part in parts)
