"""Asks a demo server over a real connection, as the crawler does in a rehearsal."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

WEEK_1, WEEK_2 = "2026-11-11", "2026-11-18"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Asker:
    """One kept-alive connection to the server at `address`."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=10)

    def get(self, url: str, day: str = WEEK_1, method: str = "GET", **headers: str) -> Reply:
        parts = urlsplit(url)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme, "X-Rehearsal-Date": day} | named
        self._connection.request(method, f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", headers=sent)
        return self._reply()

    def post(self, url: str, form: Mapping[str, str], day: str = WEEK_1) -> Reply:
        parts = urlsplit(url)
        sent = {
            "Host": parts.netloc,
            "X-Rehearsal-Date": day,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection.request("POST", parts.path, body=urlencode(form), headers=sent)
        return self._reply()

    def _reply(self) -> Reply:
        response = self._connection.getresponse()
        return Reply(response.status, response.headers, response.read())

    def close(self) -> None:
        self._connection.close()
