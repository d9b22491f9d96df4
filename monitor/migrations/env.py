"""Alembic's entry: runs on the connection that `upgrade` hands over, or on the configured database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from monitor.config import Config
from monitor.tables import (
    clusters,  # noqa: F401  # they make every table known
    leads,  # noqa: F401  # they make every table known
    models,  # noqa: F401  # they make every table known
    product_facts,  # noqa: F401  # they make every table known
    registers,  # noqa: F401  # they make every table known
)
from monitor.tables import outbox as outbox_tables  # noqa: F401  # they make every table known
from monitor.tables.db import open_engine


def _own(name: str | None, _type: str, _parents: object) -> bool:
    # The full-text index is made by hand, for each database its own, and compared by no one.
    return not (name or "").startswith("search_fts")


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, include_name=_own)
    with context.begin_transaction():
        context.run_migrations()


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is not None:
    _run(handed_over)
else:
    with open_engine(Config().database_url).begin() as own:
        _run(own)
