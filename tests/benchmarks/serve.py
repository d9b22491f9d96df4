"""A loopback server that answers from memory, so that what is measured is the client. Stops when its input closes."""

from __future__ import annotations

import asyncio
import sys

from tests.benchmarks.pages import kinds, page


def answers(count: int) -> dict[bytes, bytes]:
    """path → whole HTTP response."""
    urls = "".join(f"<url><loc>http://bench.example/exosome/{number}</loc></url>" for number in range(count))
    bodies = {b"/": ("text/html", page(0, "neutral")), b"/robots.txt": ("text/plain", "User-agent: *\nAllow: /\n")}
    bodies[b"/sitemap.xml"] = (
        "application/xml",
        f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>",
    )
    for number, kind in enumerate(kinds(count)):
        bodies[b"/exosome/%d" % number] = ("text/html; charset=utf-8", page(number, kind))
    return {
        path: f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body.encode())}\r\n\r\n".encode()
        + body.encode()
        for path, (kind, body) in bodies.items()
    }


async def serve(count: int) -> None:
    ready = answers(count)
    missing = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nnot found"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                writer.write(ready.get(head.split(b" ", 2)[1], missing))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
