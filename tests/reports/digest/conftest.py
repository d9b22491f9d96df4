"""The story as it is told to every test of a digest's forms and contents."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from monitor.tables.db import open_engine
from reports.digest.formats import as_json
from reports.digest.view import Digest
from tests.reports.digest import story


@dataclass(frozen=True)
class Told:
    engine: Engine
    folder: Path
    ids: dict[str, Any]

    def digest(self, language: str = "en", **more: Any) -> Digest:
        return story.digest(self.engine, self.folder, language, **more)

    def copy(self, folder: Path) -> Engine:
        """The same database once more, to be changed."""
        held, path = self.folder / "exowatch.db", folder / "copy.db"
        with closing(sqlite3.connect(held)) as here, closing(sqlite3.connect(path)) as there:
            here.backup(there)
        return open_engine(f"sqlite:///{path}")


@pytest.fixture(scope="session")
def told(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("story")
    shutil.copy(sqlite_template, folder / "exowatch.db")
    engine = open_engine(f"sqlite:///{folder / 'exowatch.db'}")
    ids = story.tell(engine)
    story.issue(engine)
    yield Told(engine, folder, ids)
    engine.dispose()


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def items(digest: Digest) -> tuple[Counter[str], Counter[str]]:
    data = json.loads(as_json(digest))
    claims: Counter[str] = Counter()
    notices: Counter[str] = Counter()
    for section in data["sections"]:
        notices.update(str(item["notice_id"]) for group in section["notices"] for item in group["notices"])
        for group in section["claims"]:
            claims.update(str(item["claim_id"]) for page in group["pages"] for item in page["claims"])
    claims.update(str(item["claim_id"]) for name in ("rules", "reviews") for item in data[name]["items"])
    notices.update(str(item["notice_id"]) for item in data["coming"]["items"])
    return claims, notices
