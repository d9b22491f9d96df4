"""One look at a site that nobody has configured yet: its front page, and what that shows it to be built with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from scrapy.http import Response

from crawler.checking import Look, looking_spider
from crawler.market.card import card_of
from crawler.market.platforms import platforms_of, shelves_of
from crawler.market.site import read
from crawler.run import NotStartedError, run_source
from crawler.source import BlockedError, LayoutChangedError
from monitor.config import Config, Site
from monitor.records import PageRecord, RunRequest


def look(config: Config, url: str) -> dict[str, Any]:
    """Read robots.txt and the front page, politely, once. Nothing is kept; once in a process, as any crawl.

    Gives url, address (after redirects), status, title, site_name, language, platforms, catalogues (kinds that a
    reading would ask for) and problem: why the page was not read, or nothing. Raises NotStartedError.
    """
    try:
        card = card_of(Site.model_validate({"url": url}))
    except ValidationError as error:
        raise NotStartedError(f"{url} is no address of a site: {error.errors()[0]['msg']}") from error
    seen = Look()
    with tempfile.TemporaryDirectory(prefix="exowatch-look-") as folder:
        request = RunRequest(pages=(card.start,))
        finished = run_source(config, card, Path(folder), request=request, spider=looking_spider(card, seen))
    told: dict[str, Any] = {
        "url": url, "address": "", "status": None, "title": "", "site_name": "", "language": "",
        "platforms": [], "catalogues": [], "problem": "",
    }  # fmt: skip
    if seen.response is None:
        problems = [problem.message for problem in finished.record.problems] or seen.failures
        return told | {"problem": "; ".join(problems) or "the site did not answer"}
    return told | _shown(seen.response, card.start) | _read(seen.response, card)


def _shown(response: Response, home: str) -> dict[str, Any]:
    platforms = platforms_of(response)
    shelves = [shelf.kind for platform in platforms for shelf in shelves_of(platform, response, home)]
    return {
        "address": response.url,
        "status": response.status,
        "platforms": [str(platform) for platform in platforms],
        "catalogues": list(dict.fromkeys(shelves)),
    }


def _read(response: Response, card: Any) -> dict[str, Any]:
    if not 200 <= response.status < 300:
        return {"problem": f"its front page answers with status {response.status}"}
    try:
        records = list(read(response, card))
    except BlockedError as error:
        return {"problem": f"a block page: {error}"}
    except LayoutChangedError as error:
        return {"problem": str(error)}
    page = next((record for record in records if isinstance(record, PageRecord)), None)
    if page is None:
        return {"problem": "its front page holds nothing that can be read"}
    return {"title": page.title, "site_name": page.site_name, "language": page.language}
