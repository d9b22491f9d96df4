"""Codes that the wire shapes and the law have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

JurisdictionCode = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
"""ISO 3166-1 alpha-2 in lower case, with `uk` for the United Kingdom and `eu` for the Union."""
