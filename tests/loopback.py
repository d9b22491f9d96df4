"""A small web server on 127.0.0.1 for tests: answers by host and path, and remembers what it was asked."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it arrived. `at` is a monotonic time in seconds."""

    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Reply:
    """What to answer. With `chunks`, they are sent one by one without a Content-Length and `body` is ignored."""

    body: bytes | str = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterator[bytes] | None = None
    wait: threading.Event | None = None
    """If given, the answer is held back until it is set."""


Answer = Reply | Callable[[Asked], Reply]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about; anything else is told as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Loopback:
    """Routes are `"host/path"` or `"/path"` for every host; the query is ignored unless the route names it.

    A host without its own robots.txt answers 404 for it, which allows everything.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self.peak: Counter[str] = Counter()
        """Most requests under way at once, by host."""
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler_class())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def paths(self, host: str | None = None) -> list[str]:
        """What was asked for, in order, robots.txt left out."""
        return [a.path for a in self.asked if a.path != "/robots.txt" and (host is None or a.host == host)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: Asked) -> Reply:
        bare = asked.path.partition("?")[0]
        for route in (f"{asked.host}{asked.path}", f"{asked.host}{bare}", asked.path, bare):
            found = self.routes.get(route)
            if found is not None:
                return found(asked) if callable(found) else found
        return Reply("no such page", status=404, content_type="text/plain")

    def begin(self, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)
            self._under_way[asked.host] += 1
            self.peak[asked.host] = max(self.peak[asked.host], self._under_way[asked.host])

    def end(self, asked: Asked) -> None:
        with self._lock:
            self._under_way[asked.host] -= 1

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65536

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                host = self.headers.get("Host", "")
                asked = Asked(self.command, host, self.path, dict(self.headers.items()), body, monotonic())
                web.begin(asked)
                try:
                    reply = web.answer(asked)
                    if reply.wait is not None:
                        reply.wait.wait(timeout=30)
                    # ended before it is sent: once it has the answer, the crawler may ask again at once
                    web.end(asked)
                    self._send(reply)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def _send(self, reply: Reply) -> None:
                body = reply.body.encode() if isinstance(reply.body, str) else reply.body
                self.send_response(reply.status)
                if reply.content_type:
                    self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.chunks is None:
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(body)
                else:
                    self.send_header("Connection", "close")
                    self.end_headers()
                    for chunk in reply.chunks:
                        self.wfile.write(chunk)
                self.wfile.flush()

            do_GET = do_POST = do_HEAD = _serve  # noqa: N815 - named by the standard library

            def log_message(self, format: str, *args: object) -> None:
                """Silent: what was asked is in `asked`."""

        return Handler


@contextmanager
def loopback() -> Iterator[Loopback]:
    """A running server, closed at the end of the block."""
    web = Loopback()
    try:
        yield web
    finally:
        web.close()
