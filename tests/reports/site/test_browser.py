"""A journalist at a real browser: searches, opens a claim, goes by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from reports.site.app import create_app
from tests.reports import factory
from tests.reports.conftest import Stored

pytestmark = pytest.mark.browser


def test_a_claim_is_found_and_opened(page: Page, stored: Stored, serving: Callable[[FastAPI], str]) -> None:
    stored.digest()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(serving(create_app(stored.engine, stored.config, factory.law)))
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.get_by_label("Search claims, notices, products and firms").fill("arthr*")
    page.get_by_label("Severity").select_option("High")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_contain_text("1 result")
    expect(page.locator("li mark")).to_have_text("arthritis")
    page.get_by_role("link", name="treats arthritis").click()
    expect(page.locator(".context mark")).to_have_text("treats arthritis in two weeks")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Digests").click()
    page.get_by_role("link", name="2026-W47").click()
    expect(page.get_by_role("heading", name="Our rules changed")).to_be_visible()
    assert complaints == [], "nothing is refused by the page's own policy"


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1200, "light")])
def test_no_page_is_wider_than_the_screen(
    page: Page, stored: Stored, serving: Callable[[FastAPI], str], width: int, scheme: str
) -> None:
    stored.digest()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    address = serving(create_app(stored.engine, stored.config, factory.law))
    for path in ("/", "/search?q=serum", f"/claims/{stored.ids['arthritis']}", "/digests/2026-W47", "/health"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
