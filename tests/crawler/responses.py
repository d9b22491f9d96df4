"""Responses made from bytes, as a spider gets them."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response
from scrapy.responsetypes import responsetypes

CAPTURE = "read/00001"


def response_of(
    url: str,
    body: bytes | str,
    content_type: str = "text/html; charset=utf-8",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    raw = body.encode() if isinstance(body, str) else body
    kind = responsetypes.from_args(headers={b"Content-Type": content_type.encode()}, url=url, body=raw)
    return kind(
        url=url,
        body=raw,
        status=status,
        headers={"Content-Type": content_type, **(headers or {})},
        request=Request(url, meta={"capture": CAPTURE}),
    )


def json_response(url: str, body: bytes | str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return response_of(url, body, "application/json; charset=utf-8", status, headers)
