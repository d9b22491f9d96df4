"""A database with two weeks in it, and the digest of the second."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from monitor.config import Config
from reports import period
from reports.digest.writing import Written, write
from tests.reports import factory
from tests.reports.two_weeks import two_weeks

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WEEK = period.week("2026-W47", "UTC")


@dataclass(frozen=True)
class Stored:
    """A filled database: its engine, its configuration and the ids of what is in it."""

    engine: Engine
    config: Config
    ids: dict[str, Any]

    def digest(self, name: str = "2026-W47", **more: Any) -> Written:
        return write(
            self.engine, self.config, period.week(name, "UTC"), more.pop("now", factory.NOW), law=factory.law, **more
        )


@pytest.fixture
def stored(sqlite_engine: Engine, tmp_path: Path) -> Stored:
    return Stored(sqlite_engine, Config(data=tmp_path), two_weeks(sqlite_engine))


@pytest.fixture
def rehearsed(sqlite_engine: Engine, tmp_path: Path) -> Stored:
    return Stored(sqlite_engine, Config(data=tmp_path), two_weeks(sqlite_engine, mode="rehearsal"))


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serves a site on this machine by the real server; gives its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def serving() -> Iterator[Callable[[FastAPI], str]]:
    """Serves sites until the test ends."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))


@pytest.fixture
def visit(serving: Callable[[FastAPI], str]) -> Iterator[Callable[[FastAPI], httpx.Client]]:
    """Serves a site and gives a client for it."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(httpx.Client(base_url=serving(app), timeout=60))


@pytest.fixture
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"no browser at {CHROMIUM}; apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield started
        finally:
            started.close()


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_page()
