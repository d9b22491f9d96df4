"""The address of a page that was asked for with values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def address_of(path: str, asked: DataclassInstance) -> str:
    """What is empty is left out, and so is the first page."""
    given = {name: value for name, value in asdict(asked).items() if value and (name, value) != ("page", 1)}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path
