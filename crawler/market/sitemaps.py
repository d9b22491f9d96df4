"""Sitemaps (sitemaps.org), by Scrapy's own reader: lists of pages or of further sitemaps, packed or not."""

from __future__ import annotations

import struct
import zlib

from scrapy.http import Response
from scrapy.utils.gz import gunzip, gzip_magic_number
from scrapy.utils.sitemap import Sitemap

MOST_SITEMAP_BYTES = 32 * 1024**2
USUAL_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml")


def places_of(response: Response) -> tuple[bool, list[str]]:
    """What a sitemap names, and whether those are sitemaps again. Raises ValueError for what is no sitemap."""
    try:
        body = gunzip(response.body, max_size=MOST_SITEMAP_BYTES) if gzip_magic_number(response) else response.body
        if b"<urlset" not in body and b"<sitemapindex" not in body:
            raise ValueError("neither urlset nor sitemapindex")
        sitemap = Sitemap(body)
        return sitemap.type == "sitemapindex", [str(place["loc"]) for place in sitemap]
    except (OSError, EOFError, StopIteration, SyntaxError, struct.error, zlib.error) as error:
        raise ValueError(str(error) or type(error).__name__) from error
