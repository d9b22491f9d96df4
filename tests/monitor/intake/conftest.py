"""Knowledge, configuration and desk of the tests of taking in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from monitor.config import Config, Site
from monitor.knowledge import Knowledge, load
from tests.monitor.intake.desk import Desk


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "var", sites=(Site(url="http://kelda.example/", name="Kelda Labs", country="us"),))


@pytest.fixture
def desk(engine: Engine, config: Config, knowledge: Knowledge) -> Desk:
    return Desk(engine, config, knowledge)
