"""Every table as rows of plain values, whole, in flat memory: what reports write as CSV, XLSX and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Engine

from monitor.queries.exports import claims, clusters, market, notices, products, readings, registers
from monitor.queries.exports.products import FACT_KINDS as FACT_KINDS
from monitor.queries.exports.shapes import Column as Column
from monitor.queries.exports.shapes import Filters as Filters
from monitor.queries.exports.shapes import Row as Row
from monitor.queries.exports.shapes import Table as Table
from monitor.tables.db import reading

TABLES: Mapping[str, Table] = {
    table.name: table
    for module in (claims, clusters, market, products, notices, registers, readings)
    for table in module.TABLES
}


class FilterError(ValueError):
    """A table was asked with a filter that it does not have; its text says which it has."""


def rows(engine: Engine, table: Table, asked: Filters) -> Iterator[Row]:
    """The table's rows, in the order of their keys. One reading of the database: nothing that comes in between.

    Raises FilterError.
    """
    wrong = [name for name in asked.given if name not in table.filters]
    if wrong:
        has = f"it has: {', '.join(table.filters)}" if table.filters else "it has none"
        raise FilterError(f"the table {table.name} has no filter {wrong[0]}; {has}")
    return _rows(engine, table, asked)


def _rows(engine: Engine, table: Table, asked: Filters) -> Iterator[Row]:
    with reading(engine) as session:
        yield from table.rows(session, asked)
