"""The one set of Scrapy settings. Each that differs from Scrapy's own closes something that it leaves open."""

from __future__ import annotations

import resource
from typing import Any

from scrapy.settings import Settings

from crawler.folder import Reading
from crawler.identity import NAME, SOFTWARE, user_agent

DEFAULT_MINUTES = 240
MEMORY_MB = 1500
"""What a crawl may grow by before it ends itself."""
"""For a run of an official source; a long list at 30 s a page ends here and goes on in the next run."""
_REHEARSAL_FASTEST = 0.001
"""Seconds. At zero Scrapy 2.19 does not hold its own limit of one request a host."""
_EXTENSIONS = (
    "corestats.CoreStats",
    "logcount.LogCount",
    "memusage.MemoryUsage",
    "closespider.CloseSpider",
    "logstats.LogStats",
)
"""All that a crawl needs of Scrapy's: it imports what is listed and off as well, a web server and a shell with it."""
_UNUSED = (
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware",
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware",
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware",
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware",
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware",
    "scrapy.downloadermiddlewares.stats.DownloaderStats",
)
"""Off by a setting, or with nothing to do, as nobody asks for it; even so, imported and passed by each page."""
_UNUSED_BY_SPIDERS = (
    # counts callbacks, so page 30 of a list is 30 deep: a spider that follows links counts them itself
    "scrapy.spidermiddlewares.depth.DepthMiddleware",
    # looks for a mistake of those who write spiders
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware",
)


def memory_limit_mb() -> int:
    """Scrapy looks at the peak, and on Linux a program starts with its parent's peak as its own: allowed for here."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 + MEMORY_MB


def build(reading: Reading) -> Settings:
    """Settings for one reading. Nothing else is merged in: no project file, no environment."""
    settings = Settings()
    for part in (_manners(reading), _bounds(reading), _closed(), _components(reading), _own(reading)):
        settings.update(part, priority="cmdline")
    return settings


def _manners(reading: Reading) -> dict[str, Any]:
    replay = reading.mode == "replay"
    return {
        "USER_AGENT": user_agent(reading.config),
        "ROBOTSTXT_OBEY": not replay,
        "ROBOTSTXT_USER_AGENT": NAME,
        "DOWNLOAD_DELAY": 0 if replay else max(reading.card.pace.delay * reading.patience, _REHEARSAL_FASTEST),
        "DOWNLOAD_DELAY_JITTER": 0,
        # one at a time in a replay: a recording is read in the order in which it was made
        "CONCURRENT_REQUESTS": 1 if replay else 4,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        # Scrapy starts this many tasks for every page: at its 100 they take a third of the time
        "CONCURRENT_ITEMS": 1,
        # first come, first asked: a list is read in its own order, a site from its front page down
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        "RETRY_TIMES": reading.config.network.retries,
        "RETRY_HTTP_CODES": [408, 429, 500, 502, 503, 504, 522, 524],
        "RETRY_ENABLED": reading.config.network.retries > 0,
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": True,
        "REFERRER_POLICY": "same-origin",
        "METAREFRESH_IGNORE_TAGS": ["script", "noscript"],
        "AUTOTHROTTLE_ENABLED": False,
        "DEFAULT_REQUEST_HEADERS": {"Accept": "text/html,application/xhtml+xml,application/json,*/*;q=0.8"},
    }


def _bounds(reading: Reading) -> dict[str, Any]:
    network = reading.config.network
    return {
        "DOWNLOAD_TIMEOUT": network.timeout_seconds,
        "DOWNLOAD_MAXSIZE": network.max_body_mb * 1024**2,
        "DOWNLOAD_WARNSIZE": 0,
        "REDIRECT_MAX_TIMES": 8,
        "CLOSESPIDER_TIMEOUT": int(reading.card.options.get("minutes", DEFAULT_MINUTES)) * 60,
        "URLLENGTH_LIMIT": 4096,
        "MEMUSAGE_ENABLED": True,
        "MEMUSAGE_LIMIT_MB": memory_limit_mb(),
        "REACTOR_THREADPOOL_MAXSIZE": 4,
    }


def _closed() -> dict[str, Any]:
    return {
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        # a proxy would look names up for us, out of reach of the check of their addresses
        "HTTPPROXY_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "TWISTED_DNS_RESOLVER": "crawler.addresses.GuardedResolver",
    }


def _components(reading: Reading) -> dict[str, Any]:
    handlers = {
        "live": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler",
        "rehearsal": "crawler.rehearsal.RehearsalHandler",
        "replay": "crawler.replay.ReplayHandler",
    }
    http = handlers[reading.mode]
    return {
        "DOWNLOADER": "crawler.manners.PoliteDownloader",
        "DOWNLOAD_HANDLERS": {"http": http, "https": http, "file": None, "data": None, "ftp": None, "s3": None},
        "SPIDER_MIDDLEWARES": dict.fromkeys(_UNUSED_BY_SPIDERS),
        "DOWNLOADER_MIDDLEWARES": {
            **dict.fromkeys(_UNUSED),
            "crawler.manners.Gate": 20,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
            "crawler.decoding.WholeBodies": 590,
            "crawler.manners.PoliteRobots": 100,
            "crawler.manners.Manners": 585,
            "crawler.manners.Redirects": 610,
            # beyond Scrapy's redirects (600) and decompression (590), so that both see what is kept already
            "crawler.archive.ArchiveMiddleware": 870,
        },
        "ITEM_PIPELINES": {"crawler.output.ItemsFile": 100},
        "EXTENSIONS_BASE": {f"scrapy.extensions.{name}": 0 for name in _EXTENSIONS},
        "EXTENSIONS": {"crawler.output.Progress": 0} if reading.progress else {},
    }


def _own(reading: Reading) -> dict[str, Any]:
    return {
        "EXOWATCH_READING": reading,
        "EXOWATCH_SOFTWARE": SOFTWARE,
        "LOG_FILE": str(reading.folder.file("crawl.log")),
        "LOG_LEVEL": "INFO",
        "LOG_FORMATTER": "scrapy.logformatter.LogFormatter",
        "LOGSTATS_INTERVAL": 60.0,
        "STATS_DUMP": True,
    }
