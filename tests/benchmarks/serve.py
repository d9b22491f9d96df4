"""A loopback server that answers from memory, so that what is measured is the client. Stops when its input closes.

`python -m tests.benchmarks.serve PAGES [first|second] [marked]`: in the second week one page in ten has another
paragraph; a marked server gives each answer an ETag, and says that nothing changed where it is shown it again.
"""

from __future__ import annotations

import asyncio
import sys
from hashlib import sha256

from tests.benchmarks.pages import kinds, page

EDIT = "<p>Since this week there is another paragraph here, about the house and its garden.</p><footer>"


def answers(count: int, week: str = "first", *, marked: bool = False) -> dict[bytes, tuple[bytes, bytes]]:
    """path → its ETag, empty if there is none, and the whole HTTP response."""
    urls = "".join(f"<url><loc>http://bench.example/exosome/{number}</loc></url>" for number in range(count))
    bodies = {b"/": ("text/html", page(0, "neutral")), b"/robots.txt": ("text/plain", "User-agent: *\nAllow: /\n")}
    bodies[b"/sitemap.xml"] = (
        "application/xml",
        f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>",
    )
    for number, kind in enumerate(kinds(count)):
        html = page(number, kind)
        edited = html.replace("<footer>", EDIT) if week == "second" and number % 10 == 0 else html
        bodies[b"/exosome/%d" % number] = ("text/html; charset=utf-8", edited)
    return {path: _answer(kind, body.encode(), marked=marked) for path, (kind, body) in bodies.items()}


def _answer(kind: str, body: bytes, *, marked: bool) -> tuple[bytes, bytes]:
    etag = f'"{sha256(body).hexdigest()[:16]}"' if marked else ""
    named = f"ETag: {etag}\r\n" if marked else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{named}Content-Length: {len(body)}\r\n\r\n"
    return etag.encode(), head.encode() + body


async def serve(count: int, week: str, *, marked: bool) -> None:
    ready = answers(count, week, marked=marked)
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nnot found"

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                etag, answer = ready.get(head.split(b" ", 2)[1], (b"", missing))
                unchanged = bool(etag) and b"If-None-Match: " + etag in head
                writer.write(b"HTTP/1.1 304 Not Modified\r\nETag: " + etag + b"\r\n\r\n" if unchanged else answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:3] or ("first",), marked="marked" in sys.argv))
