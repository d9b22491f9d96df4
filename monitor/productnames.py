"""Which words of a name are somebody's own, and which name a kind of product only. Pure."""

from __future__ import annotations

import re

_GENERIC = frozenset(
    "advanced ampoule ampoules and anti beauty cell cells clinic complex cosmetic cream derived drip essence exosomal "
    "exosome exosomes extract face facial for from gel hair human injection iv kit lab labs line lotion mask medical "
    "mesenchymal mg microneedling ml msc of peptide plus premium pro product products regenerative rejuvenation scalp "
    "serum set skin solution spray stem system the therapy treatment umbilical vial vials with".split()
)
_WORD = re.compile(r"\w+")


def own_words(folded: str) -> frozenset[str]:
    """Words of a folded name that name no kind of product: of “kelda exosome serum” it is “kelda”."""
    return frozenset(
        word for word in _WORD.findall(folded) if len(word) > 2 and not word.isdigit() and word not in _GENERIC
    )
