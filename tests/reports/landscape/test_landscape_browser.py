"""The landscape in a real browser: nothing is refused, nothing is wider than the screen, pictures take the colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page
from sqlalchemy import Engine

from monitor.config import Config
from reports.site.app import create_app
from tests.reports import factory
from tests.reports.landscape.picture import quarter

pytestmark = pytest.mark.browser


def test_it_is_shown_whole_in_light_and_dark(
    page: Page,
    sqlite_engine: Engine,
    tmp_path: Path,
    serving: Callable[[FastAPI], str],
) -> None:
    quarter(sqlite_engine)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.set_viewport_size({"width": 360, "height": 800})
    colours = set()
    address = serving(create_app(sqlite_engine, Config(data=tmp_path), factory.law))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(f"{address}/landscape/2026-Q4")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        picture = page.get_by_role("img", name="Notices by authority")
        picture.wait_for()
        colours.add(picture.locator("path[fill^='var(--chart-1']").first.evaluate("one => getComputedStyle(one).fill"))
        sizes = page.eval_on_selector_all(".chart svg", "all => all.map(one => one.getBoundingClientRect().height)")
        assert min(sizes) > 40
    assert colours == {"rgb(0, 114, 178)", "rgb(79, 168, 224)"}
    assert complaints == [], "nothing is refused by the page's own policy"
