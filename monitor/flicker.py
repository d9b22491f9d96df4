"""What differs from one look at a page to the next though nobody changed it: dates, clocks, counters, banners. Pure.

Prices, doses and quantities are no flicker. What a claim says is none either: who compares readings by `steady`
has to hold the claims of both against each other too, since a banner could say anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from monitor.banners import asks_consent, in_banners, may_ask
from monitor.text import Document

PASSING = "\N{MIDDLE DOT}"
"""Stands for what flickers."""


@dataclass(frozen=True)
class Part:
    """A block of a page: its words, what kind of block it is, and under which headings it stands."""

    text: str
    kind: str = "paragraph"
    heading_path: tuple[str, ...] = ()


def parts_of(document: Document) -> tuple[Part, ...]:
    """A page's blocks, without those that are there for the visit alone (cookie banners, "you may also like")."""
    parts = [Part(document.text[each.start : each.end], each.kind, each.heading_path) for each in document.blocks]
    asked = enumerate(parts) if may_ask(document.text) else ()
    asking = [number for number, part in asked if part.kind != "title" and asks_consent(part.text)]
    banners = in_banners([part.text for part in parts], asking) if asking else frozenset()
    return tuple(part for number, part in enumerate(parts) if number not in banners and not _is_aside(part))


def same_but_for_flicker(one: Document, other: Document) -> bool:
    """True if both show the same blocks, whatever their order, and only what flickers differs."""
    first, second = (Counter(part.text for part in parts_of(document)) for document in (one, other))
    # most blocks are the same to the letter, and need no closer look
    return _steady_blocks((first - second).elements()) == _steady_blocks((second - first).elements())


def _steady_blocks(texts: Iterable[str]) -> Counter[str]:
    return Counter(map(steady, texts))


def _words(text: str) -> str:
    return "|".join(sorted(text.split(), key=len, reverse=True))


_PLAIN_MONTH = (
    "january february april june july august september october november december "
    "januar februar märz juni juli oktober dezember jänner "
    "janvier février avril juin juillet août septembre octobre novembre décembre "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre "
    "janeiro fevereiro março maio junho julho setembro outubro dezembro "
    "gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre januari februari maart augustus "
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia "
    "ocak şubat nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık"
)
"""Names that mean a month and nothing else."""
_ANY_MONTH = _words(
    f"{_PLAIN_MONTH} march may mai mars mart mei jan feb mar apr jun jul aug sep sept oct nov dec mär okt dez "
    "janv févr avr juil déc ene abr ago dic fev set out gen mag giu lug ott mrt"
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d{1,6})?(?: ?[ap]\.?m\b\.?)?"
_NTH = r" ?(?:st|nd|rd|th|er|º|\.)? ?(?:de |of )?"
_DATE = (
    rf"\b\d{{4}}-\d{{2}}-\d{{2}}(?:[t ]{_CLOCK}(?:z|[+-]\d{{2}}:?\d{{2}})?)?"
    r"|\b\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})\b|\b\d{4}[./]\d{1,2}[./]\d{1,2}\b"
    rf"|\b\d{{1,2}}{_NTH}(?:{_ANY_MONTH})\b\.?,? ?(?:del? )?\d{{4}}\b|\b\d{{1,2}}{_NTH}(?:{_words(_PLAIN_MONTH)})\b"
    rf"|\b(?:{_ANY_MONTH})\.? ?\d{{1,2}}(?:st|nd|rd|th)?,? ?\d{{4}}\b"
    rf"|\b(?:{_words(_PLAIN_MONTH)}) \d{{1,2}}(?:st|nd|rd|th)?\b"
    r"|(?<!\d)\d{4} ?年 ?\d{1,2} ?月(?: ?\d{1,2} ?日)?|(?<!\d)\d{4} ?년 ?\d{1,2} ?월(?: ?\d{1,2} ?일)?"
)
_UNIT = _words(
    "second seconds sec secs minute minutes min mins hour hours hr hrs day days week weeks month months year years "
    "sekunde sekunden minuten stunde stunden tag tagen tage woche wochen monat monaten monate jahr jahren jahre "
    "seconde secondes heure heures jour jours semaine semaines mois an ans "
    "segundo segundos minuto minutos hora horas día días dia dias semana semanas mes meses mês año años ano anos "
    "secondo secondi minuti ora ore giorno giorni settimana settimane mese mesi anno anni"
)
_AGO = (
    rf"\b(?:an?|one|\d{{1,4}}) ?(?:{_UNIT}) (?:ago|fa|atrás)\b"
    rf"|\b(?:vor|il y a|hace|há) (?:une?|eine[rm]|\d{{1,4}}) ?(?:{_UNIT})\b"
    r"|(?<!\d)\d{1,4} ?(?:秒|分|分钟|分鐘|時間|小时|小時|日|天|週間|周|か月|ヶ月|个月|個月|月|年) ?前"
    r"|(?<!\d)\d{1,4} ?(?:초|분|시간|일|주|개월|년) ?전"
)
_COUNTDOWN = (
    rf"\b(?:ends?|endet|noch|termina|finit)(?: in)? ?:? ?(?:\d{{1,4}} ?(?:{_UNIT}|[dhms])\b[:,]? ?){{1,4}}"
    r"|\b\d{1,4} ?d ?:? ?\d{1,2} ?h ?:? ?\d{1,2} ?m(?: ?:? ?\d{1,2} ?s)?\b"
    r"|\b\d{1,3} ?: ?\d{2} ?: ?\d{2}(?: ?: ?\d{2})?\b"
)
_NUMBER = r"(?<![\d.,])\d{1,9}(?:[., ]\d{3}){0,3}(?:[.,]\d{1,2})? ?[km]?\+?"
_COUNTED = _words(
    "review reviews rating ratings views visitors comment comments likes followers shares votes "
    "bewertung bewertungen rezension rezensionen aufrufe besucher kommentare "
    "avis évaluations vues visiteurs commentaires abonnés reseña reseñas opinión opiniones valoraciones visitas "
    "comentarios avaliação avaliações visualizações comentários recensione recensioni valutazioni visualizzazioni "
    "commenti"
)
_SOMEBODY = _words(
    "people others visitors customers shoppers personen kunden personnes clients personas clientes pessoas persone"
)
_VISITORS = _words(
    "people others visitors customers shoppers users buyers clients practitioners doctors clinics members guests "
    "personen kunden besucher nutzer leute personnes clients visiteurs internautes personas clientes visitantes "
    "usuarios pessoas usuários persone visitatori clienti utenti mensen bezoekers osób osoby kişi человек"
)
"""Whoever a shop counts. With words of looking alone: what "patients see" is what the shop promises them."""
_LOOKED = _words(
    "viewed visited booked watched visto vieron visitaron reservaron viram visualizaram visitaram vu consulté visité "
    "réservé visitato prenotato bekeken obejrzało inceledi baktı просмотрели посмотрели"
)
_VISITED = (
    rf"{_NUMBER} ?(?:{_VISITORS}) (?:(?:have|has|han|ont|hanno|têm|hebben) )?(?:already |just |hier )?(?:{_LOOKED})\b"
    rf"|{_NUMBER} ?(?:{_VISITORS}) (?:have|has) (?:this|it) in (?:their|the) (?:cart|basket|bag)\b"
    rf"|{_NUMBER} ?(?:personen|kunden|besucher|nutzer|leute) haben (?:\w+ ){{0,3}}"
    r"(?:angesehen|gesehen|gekauft|besucht)\b"
    r"|\b(?:viewed|visited|watched|seen|bought|booked|vue?s?|visto|vista|angesehen|bekeken) "
    rf"(?:by|par|por|da|von|door) {_NUMBER} ?(?:{_VISITORS})\b"
    r"|(?<![\d,])\d[\d,]{0,12} ?(?:人が(?:購入|見て)|명이 ?(?:보고|구매|조회))"
    r"|(?<![\d,])\d[\d,]{0,12} ?人(?:正在)?(?:看过|购买|購買|觀看|浏览|瀏覽)"
)
_COUNTER = (
    rf"{_VISITED}|{_NUMBER} ?(?:{_COUNTED})\b|\b(?:{_COUNTED}) ?[(:] ?{_NUMBER}\)?"
    rf"|{_NUMBER} ?(?:{_SOMEBODY}) (?:(?:are|is|have|has|sind|haben|sont|ont|están|han|hanno) )?"
    r"(?:(?:currently|now|just|recently|gerade) )?"
    r"(?:view|look|watch|bought|brows|see|sehen|schauen|kauften|regardent|viendo|vendo|guardando)\w*"
    rf"|{_NUMBER} ?(?:left|remaining|in stock|sold|auf lager|en stock|vendidos?|verkauft)\b"
    r"|\b(?:cart|basket|bag|warenkorb|panier|carrito|carrello|carrinho|カート|购物车|購物車|장바구니) ?[(:] ?\d{1,4}"
    r"|(?<![\d,])\d[\d,]{0,12} ?(?:件のレビュー|件の口コミ|条评论|條評論|人が閲覧|人浏览|개의 리뷰|개 후기)"
    r"|(?:[★☆⭐] ?|\b)[1-5](?:[.,]\d{1,2})? ?(?:/ ?5 ?)?\( ?\d[\d.,]{0,12} ?\)|[★☆⭐] ?\(? ?\d[\d.,]{0,12} ?\)?"
)
_MARK = r"(?:©|\(c\)|\bcopyright\b)"
_YEARS = rf"{_MARK} ?{_MARK}? ?(?:\d{{4}} ?[-–—] ?)?\d{{4}}|\b\d{{4}}(?: ?[-–—] ?\d{{4}})? ?©"
_NUMBER_OF_VISIT = (
    r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{16,64}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
)
_FLICKERS = re.compile("|".join((_NUMBER_OF_VISIT, _YEARS, _AGO, _COUNTDOWN, _COUNTER, _DATE, rf"\b{_CLOCK}")))
_DATED = re.compile(_DATE)
_COUNTS = re.compile(_COUNTER)
_MAY_FLICKER = re.compile(r"\d|\bago\b|\bfa\b|atrás|\bvor\b|il y a|hace|há\b")
_SPACE = re.compile(r"\s+")


def steady(text: str) -> str:
    """A block's words without what flickers in them: two readings of an unchanged block give the same."""
    low = _SPACE.sub(" ", text.casefold()).strip()
    return _FLICKERS.sub(PASSING, low) if _MAY_FLICKER.search(low) else low


def counts(text: str) -> bool:
    """Does it begin with how many look, bought or rated, or how many are left?"""
    return bool(_COUNTS.match(text.lower()))


def is_dated(text: str) -> bool:
    """Does a line hold a date: `3 October 2026`, `2026-10-03`?"""
    return _DATED.search(_SPACE.sub(" ", text.casefold())) is not None


_ALSO = re.compile(
    r"you (?:may|might) (?:also )?(?:like|enjoy|be interested)|also (?:bought|viewed|like)|recently viewed"
    r"|related products|recommended for you|frequently bought|more from this|people also"
    r"|ähnliche produkte|könnte (?:ihnen|dir) (?:auch )?gefallen|kunden kauften|zuletzt angesehen"
    r"|produits (?:similaires|associés)|vous aimerez|vus récemment|productos (?:relacionados|similares)"
    r"|también te puede|vistos recientemente|produtos relacionados|você também"
    r"|prodotti correlati|potrebbe(?:ro)? (?:anche )?(?:piacer|interess)|gerelateerde producten|powiązane produkty"
    r"|benzer ürünler|関連商品|おすすめ商品|最近チェックした|相关产品|相關商品|猜你喜欢|관련 상품|추천 상품|최근 본"
)


def is_passing(part: Part) -> bool:
    """True for a block that belongs to the visit and not to the page, whatever stands beside it."""
    return (part.kind != "title" and asks_consent(part.text)) or _is_aside(part)


def _is_aside(part: Part) -> bool:
    """Does it stand among what leads elsewhere, such as "you may also like"?"""
    own = (part.text,) if part.kind == "heading" else ()
    return any(_leads_elsewhere(heading) for heading in (*part.heading_path, *own))


@lru_cache(maxsize=10_000)
def _leads_elsewhere(heading: str) -> bool:
    return _ALSO.search(heading.casefold()) is not None
