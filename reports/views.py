"""What every view model is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from reports.render import line, short


class View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(View):
    """A criterion of a watchlist that was met, by which term, in which words."""

    criterion: str
    term: str
    quote: str

    @classmethod
    def of(cls, why: Mapping[str, Any], longest: int) -> Self:
        """As it is stored. The quote is left out where it says no more than the term."""
        criterion, term, quote = (line(why.get(key, "")) for key in ("criterion", "term", "quote"))
        told = short(quote, longest) if quote.casefold() != term.casefold() else ""
        return cls(criterion=criterion, term=term, quote=told)
