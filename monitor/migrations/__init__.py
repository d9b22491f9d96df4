"""The database's history of shapes, and bringing a database up to the newest."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect

_HOME = Path(__file__).parent


def upgrade(engine: Engine) -> None:
    """Bring the database behind `engine` to the newest shape: all of it or, on failure, nothing of it."""
    if _is_newest(engine):
        return
    from alembic import command  # late: it takes as long to load as most commands run, and mostly there is no need
    from alembic.config import Config as AlembicConfig

    settings = AlembicConfig()
    settings.set_main_option("script_location", str(_HOME).replace("%", "%%"))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")


def _is_newest(engine: Engine) -> bool:
    """Does the database bear the number of the last file here, which each is named by?"""
    last = max(path.name for path in (_HOME / "versions").glob("*.py")).partition("_")[0]
    with engine.execution_options(read_only=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()) == [last]
