"""Tables of what products are said to be: facts with the place each was read from, and the pages of a product."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from monitor.tables.models import text_column, time_column


class ProductPlace(SQLModel, table=True):
    """A page that offers a product, as last read well. The first reading of a place is what later ones are held to."""

    __tablename__ = "product_place"
    product_id: int = Field(foreign_key="product.id", primary_key=True)
    page_id: int = Field(foreign_key="page.id", primary_key=True, index=True)
    version_id: int = Field(foreign_key="page_version.id")
    start: int | None = None
    end: int | None = None
    """The stretch of the version's text that speaks of it; None where only structured data does."""
    reader: str
    """What read it: with another vocabulary or other code, other facts are our doing."""
    lacking: int = 0
    """Good readings in a row without it: at 2 it no longer stands there."""
    last_seen: datetime = Field(sa_column=time_column())


class ProductFact(SQLModel, table=True):
    """One thing that a page says a product is. Changed: the old row is no longer current, and a new one is.

    Either `quote` is the page version's `text[start:end]`, or `place` (`structured:…`) names it in the capture.
    """

    __tablename__ = "product_fact"
    id: int | None = Field(default=None, primary_key=True)
    product_id: int = Field(foreign_key="product.id", index=True)
    page_id: int = Field(foreign_key="page.id", index=True)
    kind: str
    """`name`, `brand`, `seller`, `price`, `form`, `source_material`, `route`, `dose` or `country`."""
    value: str = Field(sa_column=text_column())
    """From the vocabulary (form, source_material, route), a code or `worldwide` (country), `11.05 GBP` (price)."""
    quote: str = Field(sa_column=text_column())
    version_id: int = Field(foreign_key="page_version.id", index=True)
    capture_id: str = Field(foreign_key="capture.id")
    start: int | None = None
    end: int | None = None
    place: str = Field(default="", sa_column=text_column())
    first_seen: datetime = Field(sa_column=time_column())
    last_seen: datetime = Field(sa_column=time_column())
    current: bool = True
    readings: int = 2
    """Good readings in a row that had it, 2 at most. A new value that changes a product is current from the second."""
    lacking: int = 0
    """Good readings in a row without it. A value whose end changes a product is current until the second."""
    __table_args__ = (Index("ix_product_fact_kind_value", "kind", "value"),)
