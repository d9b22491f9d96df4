"""A small HTTP/1.1 server on 127.0.0.1 that stands in for many hosts at once.

It answers by the request's Host header, path and rehearsal date (docs/architecture.md, "Rehearsal").
"""

from __future__ import annotations

import gzip
import hashlib
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qsl, urlsplit

DATE_HEADER = "X-Rehearsal-Date"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
XML = "application/xml; charset=utf-8"
MAX_FORM_BYTES = 1_000_000
GZIP_FROM_BYTES = 512


@dataclass(frozen=True)
class Question:
    """One request, as far as an answer may depend on it."""

    host: str
    path: str
    query: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    """Query and posted fields together; a posted field goes before one of the query."""
    day: date = date(2026, 11, 9)
    scheme: str = "http"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"


@dataclass(frozen=True)
class Answer:
    """One response. `etag` and `modified` make it answer conditional requests with 304."""

    body: bytes | str = b""
    status: int = 200
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    modified: datetime | None = None
    compress: bool = False

    @property
    def payload(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


App = Callable[[Question], Answer]


def redirect(location: str) -> Answer:
    return Answer(status=302, content_type=HTML, headers={"Location": location})


def not_found(what: str = "The page you asked for is not here.") -> Answer:
    title = "Page not found"
    head = f"<!DOCTYPE html><html lang='en'><head><title>{title}</title></head>"
    return Answer(f"{head}<body><h1>{title}</h1><p>{what}</p></body></html>", status=404)


def unknown_host(host: str) -> Answer:
    return Answer(
        f"No site named {host!r} is served here. Check the Host header, or the address in the configuration.\n",
        status=502,
        content_type=TEXT,
    )


def content_etag(body: bytes | str) -> str:
    data = body.encode() if isinstance(body, str) else body
    return f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def http_date(moment: datetime) -> str:
    """An IMF-fixdate (RFC 9110, 5.6.7)."""
    return moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


class _BadRequestError(Exception):
    """The request cannot be answered; the text says why."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ExowatchDemo/1"
    sys_version = ""
    wbufsize = 1 << 16  # head and body leave in one write: two would wait for a delayed ACK
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._respond()

    def do_HEAD(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def log_message(self, format: str, *args: object) -> None:
        """Kept quiet: the crawler's own log says what was asked."""

    def _respond(self) -> None:
        try:
            answer = self.server.app(self._question())
        except _BadRequestError as error:
            answer = Answer(f"{error}\n", status=400, content_type=TEXT)
        self._send(self._unless_unchanged(answer))

    def _question(self) -> Question:
        parts = urlsplit(self.path)
        fields = dict(parse_qsl(parts.query, keep_blank_values=True))
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_FORM_BYTES:
            self.close_connection = True
            raise _BadRequestError(f"the form has {length} bytes; at most {MAX_FORM_BYTES} are read")
        if length:
            fields |= dict(parse_qsl(self.rfile.read(length).decode("utf-8", "replace"), keep_blank_values=True))
        host = (parts.netloc or self.headers.get("Host") or "").lower()
        return Question(
            host=host.split(":")[0],
            path=parts.path or "/",
            query=parts.query,
            form=fields,
            day=self._day(),
            scheme=self.headers.get("X-Forwarded-Proto", "http"),
        )

    def _day(self) -> date:
        value = self.headers.get(DATE_HEADER)
        if not value:
            return datetime.now(UTC).date()
        try:
            return date.fromisoformat(value[:10])
        except ValueError as error:
            raise _BadRequestError(f"{DATE_HEADER}: {value!r} is no date; write it as 2026-11-16") from error

    def _unless_unchanged(self, answer: Answer) -> Answer:
        """RFC 9110, 13.2.2: If-None-Match is looked at first, If-Modified-Since only without it."""
        if answer.status != 200 or self.command == "POST":
            return answer
        asked_tags = self.headers.get("If-None-Match")
        if asked_tags is not None:
            tags = {tag.strip().removeprefix("W/") for tag in asked_tags.split(",")}
            unchanged = bool(answer.etag) and answer.etag in tags
        else:
            since = self.headers.get("If-Modified-Since")
            unchanged = answer.modified is not None and since == http_date(answer.modified)
        if not unchanged:
            return answer
        return Answer(status=304, headers=answer.headers, etag=answer.etag, modified=answer.modified)

    def _send(self, answer: Answer) -> None:
        payload, coding = answer.payload, ""
        if answer.compress and len(payload) >= GZIP_FROM_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):
            payload, coding = gzip.compress(payload, 6, mtime=0), "gzip"
        self.send_response(answer.status, HTTPStatus(answer.status).phrase)
        if answer.status != 304:
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(payload)))
        if coding:
            self.send_header("Content-Encoding", coding)
        if answer.compress:
            self.send_header("Vary", "Accept-Encoding")
        if answer.etag:
            self.send_header("ETag", answer.etag)
        if answer.modified:
            self.send_header("Last-Modified", http_date(answer.modified))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and answer.status != 304:
            self.wfile.write(payload)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        super().__init__(("127.0.0.1", port), _Handler)


class Running:
    """A server in a thread of this process, for tests; `address` is `127.0.0.1:PORT`."""

    def __init__(self, app: App, port: int = 0) -> None:
        self._server = _Server(app, port)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(app: App, port: int, what: str, ready_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Prints one line with the address, and writes it to `ready_file`, when ready."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with Running(app, port) as running:
        if ready_file:
            part = ready_file.with_name(ready_file.name + ".part")
            part.write_text(running.address, encoding="utf-8")
            part.rename(ready_file)
        print(f"{what} is served at http://{running.address}", flush=True)
        stop.wait()
