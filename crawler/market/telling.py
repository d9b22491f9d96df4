"""Which pages of a site are likely to make claims, told by their address and by what links to them says.

Words, not judgement: they decide what is read first, so that limits cut what matters least.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

_THE_THING = re.compile(
    r"exosom|exossom|esosom|eksozom|exozom|エクソソーム|엑소좀|外泌体|外泌體|เอ็กโซโซม|[إا]كسوسوم|экзосом"
    r"|extracellular[-_ ]?vesic|vesicules?[-_ ]?extracell|secretom|conditioned[-_ ]?medi|培養上清|배양액"
)
_ITS_KIND = re.compile(
    r"stem[-_ ]?cell|stammzell|cellules?[-_ ]?souches?|celulas?[-_ ]?(?:madre|tronco)|cellule[-_ ]?staminali|stamcel"
    r"|kok[-_ ]?hucre|幹細胞|干细胞|줄기세포|стволов|regenerat|regenerac|rigenerat|再生|재생|placent|wharton"
    r"|umbilical|amnio|pdrn|polynucleotid|growth[-_ ]?factor|peptid"
)
_ITS_USE = re.compile(
    r"hair|haar|cheveu|cabello|pelo|capell|cabelo|髪|毛髪|모발|scalp|skin|haut|peau|piel|pelle|肌|皮膚|피부|age?ing"
    r"|anti[-_ ]?age|serum|ampoule|facial|needl|injec|therap|treat|behandl|traitement|tratamiento|trattament|治療|치료"
    r"|service|leistung|servic|product|produkt|produit|producto|prodott|商品|製品|제품|shop|faq|benefit|science|result"
    r"|testimon|review|before[-_ ]?and[-_ ]?after"
)
_LITTLE = re.compile(
    r"privacy|datenschutz|confidential|cookie|terms|agb|imprint|impressum|mentions[-_ ]?legales|shipping|versand|refund"
    r"|career|jobs|/tags?/|/author/|/page/\d|[?&](?:page|paged)="
)


LOOK_AT = 300
"""Characters of a link's text looked at: some links are whole pages."""


def telling(url: str, said: str = "", most: int = LOOK_AT) -> int:
    """How telling a page promises to be: 3 names the thing, 2 its kind, 1 its use, 0 neither, -1 is elsewhere.

    `said`: the text of the link to it, of which `most` characters are looked at.
    """
    parts = urlsplit(url)
    address = _plain(unquote(f"{parts.path}?{parts.query}" if parts.query else parts.path))
    both = f"{address}\n{_plain(said[:most])}"
    if _THE_THING.search(both):
        return 3
    if _ITS_KIND.search(both):
        return 2
    if _LITTLE.search(address):
        return -1
    return 1 if _ITS_USE.search(both) else 0


def _plain(text: str) -> str:
    """Lower case, without Latin accents (which stand apart from their letters after decomposition)."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return unicodedata.normalize("NFKC", "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f"))
