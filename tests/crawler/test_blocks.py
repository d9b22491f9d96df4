"""A block page is told from a page that speaks of one."""

from __future__ import annotations

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse

from crawler import blocks
from crawler.blocks import block_page

PROSE = (
    "<p>Our patients often ask how a session with the conditioned serum is planned, what it costs, and how long the "
    "effect on thinning hair can be expected to last under ordinary circumstances of care.</p>"
)


def page(html: str, status: int = 200, url: str = "https://shop.example/", **headers: str) -> HtmlResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HtmlResponse(url, status=status, body=html.encode(), headers={"Content-Type": "text/html", **named})


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (page("<title>FDA Apology</title><p>Sorry</p>", 404), "apology page"),
        (page("<title>FDA Apology</title>" + PROSE * 20, 200), "apology page"),
        (page("<p>x</p>", 404, "https://www.fda.gov/apology_objects/abuse-detection-apology.html"), "apology page"),
        (page("<p>x</p>", 200, "https://www.fda.gov/core/install.php?a=1"), "bait"),
        (page("", 503, "https://www.fda.gov/drugs"), "503"),
        (page("<p>wait</p>", 403, cf_mitigated="challenge"), "Cloudflare"),
        (page("<p>wait</p>", 202, x_amzn_waf_action="challenge"), "AWS"),
        (page("<title>Just a moment...</title><script>window._cf_chl_opt={}</script>", 403), "Cloudflare"),
        (page("<title>Just a moment...</title>", 200), "Just a moment"),
        (page("<script>/* bm-verify */</script>", 200), "Akamai"),
        (page("<title>Access Denied</title><h1>Access Denied</h1><p>Reference #18.2f</p>", 403), "Access Denied"),
        (page("<h1>Please solve the captcha</h1>", 200), "captcha"),
        (page("<p>We noticed unusual traffic from your network</p>", 503), "unusual traffic"),
        (page("<p>Please verify you are human</p>", 200), "verify you are human"),
        (page(f"<script>{'x' * 30000}</script><p>Are you a robot?</p>", 200), "robot"),
        (page(f'<img src="data:image/png;base64,{"A" * 5000}"><p>Are you a robot?</p>', 200), "robot"),
        (page("<p>Captcha required</p>" + "<p>Please wait a little.</p>" * 20, 403), "Captcha"),
    ],
)
def test_block_pages_are_named(response: Response, words: str) -> None:
    assert words in block_page(response)


@pytest.mark.parametrize(
    "response",
    [
        page(f"<h1>Forms</h1><p>Please solve the captcha before you send the form.</p>{PROSE * 10}"),
        page(f"<h1>Security</h1><p>What does Access Denied mean? What is unusual traffic?</p>{PROSE * 20}", 403),
        page("<h1>Contact</h1><p>This form is protected by a captcha; its maker's terms apply.</p>"),
        page('<h1>Contact</h1><script src="https://captcha.example/recaptcha/api.js"></script><p>Write to us.</p>'),
        page('<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script><h1>Serum</h1><p>Short page.</p>'),
        page("<h1>Not found</h1>", 404),
        page("<h1>Forbidden</h1>", 403),
        page("<h1>Service unavailable</h1>", 503),
        page("", 200),
        TextResponse(
            "https://shop.example/products.json",
            body=b'{"title": "solve the captcha"}',
            headers={"Content-Type": "application/json"},
        ),
        Response("https://shop.example/image.png", body=b"solve the captcha", headers={"Content-Type": "image/png"}),
        page("<p>solve the captcha</p>" + " " * 100_000),
    ],
)
def test_content_is_not_taken_for_one(response: Response) -> None:
    assert block_page(response) == ""


def test_a_page_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Response] = []

    def looked(response: Response) -> str:
        seen.append(response)
        return "a captcha" if response.status == 403 else ""

    monkeypatch.setattr(blocks, "_block_page", looked)
    refused, read = page("<p>x</p>", 403), page("<p>x</p>")
    assert [block_page(one) for one in (refused, refused, read, read)] == ["a captcha", "a captcha", "", ""]
    assert seen == [refused, read]
