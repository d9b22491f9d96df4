"""WARC and WET files made by tests, written out by hand: tests must not lean on the library that reads them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

AT = "2026-10-10T10:00:00Z"
SELLING = (
    "<html lang='en'><head><title>Kelda serum</title></head><body><h1>Kelda ExoVita serum</h1>"
    "<p>Our exosome serum with stem cell exosomes, made for your skin. $129.00</p>"
    "<p>Free shipping. Order now and add it to your cart.</p>"
    "<form action='/cart/add'><button>Add to cart</button></form></body></html>"
)
PLAIN = "<html><head><title>Bicycles</title></head><body><p>We mend bicycles. $40.00</p></body></html>"
NEWS = (
    "<html><head><title>Exosomes under review</title><meta property='og:type' content='article'>"
    "<meta name='author' content='A. Writer'></head><body><article><p>By A. Writer, staff reporter</p>"
    "<p>The agency said on Tuesday that exosome products are not approved. Reporters asked the clinics for comment, "
    "and according to the agency none of them answered.</p></article></body></html>"
)


def response(url: str, html: str | bytes, *, status: str = "200 OK", kind: str = "text/html; charset=utf-8") -> bytes:
    body = html.encode() if isinstance(html, str) else html
    http = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + body
    return _record("response", url, "application/http; msgtype=response", http)


def conversion(url: str, text: str) -> bytes:
    """A record of a WET file."""
    return _record("conversion", url, "text/plain", text.encode())


def _record(kind: str, url: str, content_type: str, block: bytes) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{'0' * 32}>\r\nWARC-Date: {AT}\r\n"
        f"WARC-Target-URI: {url}\r\nContent-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def packed(path: Path, records: Iterable[bytes]) -> Path:
    """An archive with a gzip member for each record."""
    path.write_bytes(b"".join(gzip.compress(record, mtime=0) for record in records))
    return path
