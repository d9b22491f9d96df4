"""`/unsubscribe/TOKEN`: leaving without login. Looking changes nothing, since scanners open every link of a mail;
one POST leaves (RFC 8058), and no body is needed. The one thing that the site writes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse

from monitor import queries
from monitor.config import Config, now
from monitor.config.delivery import Recipient
from monitor.watching import outbox
from reports.delivery.unsubscribing import reference_in, secret_of
from reports.render import render
from reports.site.common import page

WINDOW = 60.0
"""Seconds over which visits are counted."""
MOST_BAD, MOST_EACH = 120, 20
"""Visits in a window: with links that are none of ours, and with one link."""
_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


class Bound:
    """Counts visits; `allows` says whether one more is fine. What is counted is forgotten with its window."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._guard = clock, threading.Lock()
        self._began, self._seen = clock(), Counter[str]()

    def allows(self, who: str, most: int) -> bool:
        with self._guard:
            if self._clock() - self._began > WINDOW:
                self._began, self._seen = self._clock(), Counter()
            self._seen[who] += 1
            return self._seen[who] <= most


def add_unsubscribe(app: FastAPI, engine: queries.Engine, config: Config, bound: Bound | None = None) -> None:
    limit = bound or Bound()

    def visit(token: str, *, leave: str = "") -> Response:
        """`leave`: `kind` for what the letter was, `all` for everything; nothing for a look."""
        reference = reference_in(secret_of(config), token)
        if not limit.allows(reference, MOST_EACH if reference else MOST_BAD):
            return _too_many()
        found = queries.letter_of(engine, reference) if reference else None
        if found is None:
            return page(
                "error.html",
                "",
                status=400,
                title="This link does not unsubscribe",
                help="It is incomplete, or was changed on its way, or belongs to a test. Copy the whole link from the "
                "foot of the mail, or answer the mail and ask to be taken off.",
            )
        address, kind = found
        if leave:
            scope = "all" if leave == "all" else kind
            outbox.suppress(engine, address, scope, cause="unsubscribed", now=now(config))
        return _shown(config, address, kind, token, left=leave)

    @app.api_route("/unsubscribe/{token}", methods=["GET", "HEAD"])
    def look(token: str) -> Response:
        return visit(token)

    @app.post("/unsubscribe/{token}")
    def leave(token: str) -> Response:
        return visit(token, leave="kind")

    @app.post("/unsubscribe/{token}/all")
    def leave_all(token: str) -> Response:
        return visit(token, leave="all")


def _shown(config: Config, address: str, kind: str, token: str, *, left: str) -> HTMLResponse:
    recipient = next((one for one in config.targets if isinstance(one, Recipient) and one.address == address), None)
    language = (recipient.language if recipient else None) or config.digest.language
    local, _, domain = address.rpartition("@")
    content = render(
        "unsubscribe.html",
        language,
        # Whoever was forwarded the mail need not learn the whole address.
        address=f"{local[:1]}…@{domain}",
        kind=kind,
        token=token,
        left=left,
        contact=config.mail.reply_to or "" if config.mail else "",
    )
    return HTMLResponse(content, headers=_HEADERS)


def _too_many() -> Response:
    help = "Wait a minute, and open the link again."
    answer = page("error.html", "", status=429, title="Too many visits", help=help)
    answer.headers["Retry-After"] = f"{WINDOW:.0f}"
    return answer
