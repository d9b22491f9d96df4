"""Compressed bodies, whole or not at all.

Scrapy gives what it could decode of a stream that breaks off; half of a list would be read as the whole of it.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import Any

from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Request, Response
from scrapy.utils._compression import _DecompressionMaxSizeExceeded

from crawler.notes import RefusedRequest

_CHUNK = 65536
_WBITS = {b"gzip": (31,), b"x-gzip": (31,), b"deflate": (15, -15)}
"""By encoding (RFC 9110, 8.4.1). Some servers send deflate without the zlib wrapper that it must have."""


class BrokenOffError(Exception):
    """A compressed stream that ends before its end, or is none."""


def inflated(body: bytes, encoding: bytes, most: int = 0) -> bytes:
    """A gzip or deflate body, decoded. Raises BrokenOffError, or Scrapy's own error beyond `most` bytes."""
    for wbits in _WBITS[encoding]:
        try:
            return _inflated(body, wbits, most)
        except zlib.error as error:
            last = error
    raise BrokenOffError(str(last))


def _inflated(body: bytes, wbits: int, most: int) -> bytes:
    """Every member of a gzip stream (RFC 1952, 2.2); what stands behind the last one is padding."""
    out, rest, size = BytesIO(), body, 0
    while True:
        stream, ended = zlib.decompressobj(wbits), False
        while not ended:
            piece = stream.decompress(rest, _CHUNK)
            ended = stream.eof
            rest = stream.unused_data if ended else stream.unconsumed_tail
            size += len(piece)
            if most and size > most:
                raise _DecompressionMaxSizeExceeded(size, most)
            if not (ended or piece or rest):
                raise BrokenOffError(f"it ends after {size} decoded bytes, before its own end")
            out.write(piece)
        if wbits != _WBITS[b"gzip"][0] or not rest.startswith(b"\x1f\x8b"):
            return out.getvalue()


def copied(response: Response, kind: type[Response], url: str = "") -> Response:
    """The same answer, of another class or under another address.

    Scrapy's own `replace` first guesses the encoding of a body that declares none: half a gigabyte and seconds for a
    part of 8 MB, and on compressed bytes for nothing.
    """
    return kind(
        url=url or response.url,
        status=response.status,
        headers=response.headers,
        body=response.body,
        flags=response.flags,
        request=response.request,
        certificate=response.certificate,
        ip_address=response.ip_address,
        protocol=response.protocol,
    )


class WholeBodies(HttpCompressionMiddleware):
    """Scrapy's decompression, which asks again for what breaks off, and then refuses it."""

    crawler: Any

    @classmethod
    def from_crawler(cls, crawler: Any) -> WholeBodies:
        made = super().from_crawler(crawler)
        made.crawler = crawler
        return made

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:  # noqa: ARG002
        encodings = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        try:
            return super().process_response(request, copied(response, Response) if encodings else response)
        except (BrokenOffError, zlib.error, OSError, EOFError) as error:
            message = f"the body is no whole {encodings} stream: {error}"
            again = get_retry_request(request, spider=self.crawler.spider, reason=message)
            if again is not None:
                return again
            raise RefusedRequest("download_error", message) from error

    @staticmethod
    def _decode(body: bytes, encoding: bytes, max_size: int) -> bytes:
        if encoding in _WBITS and body:
            return inflated(body, encoding, max_size)
        return HttpCompressionMiddleware._decode(body, encoding, max_size) if body else body
