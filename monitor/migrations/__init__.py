"""The database's history of shapes, and bringing a database up to the newest."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine


def upgrade(engine: Engine) -> None:
    """Bring the database behind `engine` to the newest shape: all of it or, on failure, nothing of it."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
