"""What Scrapy leaves open by default is closed, in every mode."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawler.folder import Clock, Mode, Reading, RunFolder
from crawler.settings import build
from monitor.config import Config
from monitor.records import RunRequest, SourceCard
from tests.crawler.conftest import CARD


def reading(tmp_path: Path, mode: Mode, config: Config | None = None, **card: Any) -> Reading:
    clock = Clock()
    folder = RunFolder(tmp_path, "xx_test_alerts", clock.start)
    whole = SourceCard.model_validate({**CARD, **card})
    return Reading(config or Config(), whole, RunRequest(), {}, mode, folder, clock)


@pytest.mark.parametrize("mode", ["live", "rehearsal", "replay"])
def test_the_doors_are_closed(tmp_path: Path, mode: Mode) -> None:
    settings = build(reading(tmp_path, mode))

    handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}
    assert settings.getbool("REMOTE_CONTROL_ENABLED") is False
    assert settings.getbool("TELNETCONSOLE_ENABLED") is False
    assert settings.getbool("COOKIES_ENABLED") is False
    assert settings.getbool("HTTPPROXY_ENABLED") is False
    assert settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES") is True
    assert settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") == 1
    assert settings.getint("DOWNLOAD_MAXSIZE") == Config().network.max_body_mb * 1024**2
    assert settings.getint("CLOSESPIDER_TIMEOUT") > 0
    listed = {name.rpartition(".")[2] for name in settings.getwithbase("EXTENSIONS")}
    assert listed == {"CoreStats", "LogCount", "MemoryUsage", "CloseSpider", "LogStats"}


def test_a_page_passes_nothing_of_scrapys_that_is_not_asked_for(tmp_path: Path) -> None:
    settings = build(reading(tmp_path, "live"))

    def passed(setting: str) -> set[str]:
        order = settings.getwithbase(setting)
        return {str(name).rpartition(".")[2] for name, place in order.items() if place is not None}

    assert passed("SPIDER_MIDDLEWARES") == {
        "StartSpiderMiddleware",
        "HttpErrorMiddleware",
        "RefererMiddleware",
        "UrlLengthMiddleware",
    }
    assert passed("DOWNLOADER_MIDDLEWARES") == {
        "Gate",
        "PoliteRobots",
        "DownloadTimeoutMiddleware",
        "DefaultHeadersMiddleware",
        "UserAgentMiddleware",
        "RetryMiddleware",
        "MetaRefreshMiddleware",
        "Manners",
        "WholeBodies",
        "RedirectMiddleware",
        "Redirects",
        "ArchiveMiddleware",
    }


def test_a_live_run_waits_as_its_card_says_and_obeys_robots_txt(tmp_path: Path) -> None:
    settings = build(reading(tmp_path, "live", pace={"delay": 7.5}))

    assert settings.getfloat("DOWNLOAD_DELAY") == 7.5
    assert settings.getbool("ROBOTSTXT_OBEY") is True


def test_no_delay_is_ever_nothing_where_there_is_a_server(tmp_path: Path) -> None:
    settings = build(reading(tmp_path, "rehearsal", pace={"delay": 0.0001}))

    assert settings.getfloat("DOWNLOAD_DELAY") > 0


def test_limits_come_from_the_configuration_and_the_card(tmp_path: Path) -> None:
    config = Config.model_validate({"network": {"max_body_mb": 3, "retries": 0, "timeout_seconds": 9}})

    settings = build(reading(tmp_path, "live", config, options={"minutes": 7}))

    assert settings.getint("DOWNLOAD_MAXSIZE") == 3 * 1024**2
    assert settings.getbool("RETRY_ENABLED") is False
    assert settings.getfloat("DOWNLOAD_TIMEOUT") == 9
    assert settings.getint("CLOSESPIDER_TIMEOUT") == 420


@pytest.mark.parametrize(
    ("contact", "agent"),
    [
        ("mailto:watch@office.example", "(+mailto:watch@office.example)"),
        ("a@b.example\r\nX-Evil: 1", "(+a@b.exampleX-Evil:1)"),
        ("", "(rehearsal)"),
    ],
)
def test_the_user_agent_is_one_honest_line(tmp_path: Path, contact: str, agent: str) -> None:
    settings = build(reading(tmp_path, "rehearsal", Config(contact=contact)))

    assert settings["USER_AGENT"].startswith("Exowatch/")
    assert settings["USER_AGENT"].endswith(f" {agent}")


def test_a_crawl_started_by_a_large_program_does_not_count_that_programs_memory() -> None:
    """On Linux the peak of the parent is inherited: counted as ours it would end every crawl at once."""
    child = (
        "import resource; from crawler.settings import MEMORY_MB, memory_limit_mb; "
        "print(memory_limit_mb() - resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 - MEMORY_MB)"
    )
    parent = (
        "import subprocess, sys; ballast = b'x' * (2_000 * 1024 * 1024); "
        f"print(subprocess.run([sys.executable, '-c', {child!r}], capture_output=True, text=True, check=True).stdout)"
    )
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, check=True)

    assert -50 <= int(done.stdout) <= 50
