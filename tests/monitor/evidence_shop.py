"""A shop on loopback, read twice by the real crawler: what the tests of packages and of the chain work on."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from sqlmodel import select

from monitor.config import Config
from monitor.tables.db import open_engine, reading
from monitor.tables.models import Claim
from tests.loopback import Loopback, Reply, loopback
from tests.programs import Stage

HOST = "www.kelda.example"
FIRST = "Our exosome therapy treats arthritis."
THEN = "Our exosome therapy treats arthritis in older adults."


@dataclass(frozen=True)
class Shop:
    """The configuration, and where it lies."""

    file: Path
    config: Config
    web: Loopback
    stage: Stage

    def exowatch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.stage.run("monitor", "--config", self.file, *arguments)

    def week(self, day: str, claim: str, *, packed: bool = False) -> None:
        """Put the shop's pages up as they are that day, and read them. `packed`: the server sends the page in gzip."""
        self.web.routes[f"{HOST}/go"] = Reply("", status=302, headers={"Location": f"http://{HOST}/therapy"})
        self.web.routes[f"{HOST}/"] = page("Kelda", '<p><a href="/go">Exosome therapy</a> <a href="/help">Help</a></p>')
        self.web.routes[f"{HOST}/help"] = page("Help", "<p>Write to us about parcels.</p>")
        therapy = page("Exosome therapy", f"<p>{claim}</p><p>Book your appointment now: $450 a session.</p>")
        if packed:
            therapy.body = gzip.compress(str(therapy.body).encode(), mtime=0)
            therapy.headers["Content-Encoding"] = "gzip"
        self.web.routes[f"{HOST}/therapy"] = therapy
        self.configure(day)
        done = self.exowatch("run", "--no-digest")
        assert done.returncode == 0, done.stdout + done.stderr

    def configure(self, day: str, **more: object) -> None:
        values = {
            "data": str(self.config.data),
            "rehearsal": {"address": self.web.address, "now": f"{day}T06:00:00Z"},
            "sites": [{"url": f"http://{HOST}/", "name": "Kelda Labs", "country": "US", "revisit_hours": 0}],
            **more,
        }
        self.file.write_text(yaml.safe_dump(values), encoding="utf-8")

    def claim(self, quote: str) -> int:
        """Number of the claim that is worded so."""
        engine = open_engine(self.config.database_url)
        with reading(engine) as session:
            (found,) = session.exec(select(Claim.id).where(Claim.quote == quote))
        engine.dispose()
        assert found is not None
        return found

    @property
    def warcs(self) -> list[Path]:
        return sorted(self.config.runs_folder.glob("*/run.warc.gz"))


def page(title: str, body: str) -> Reply:
    return Reply(
        f'<html lang="en"><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>',
        headers={"Cache-Control": "no-store"},
    )


@contextmanager
def read_twice(folder: Path, stage: Stage) -> Iterator[Shop]:
    """The shop after two weeks; in the second one it words its claim anew."""
    with loopback() as web:
        shop = Shop(folder / "config.yaml", Config(data=folder / "var"), web, stage)
        shop.week("2026-11-11", FIRST, packed=True)
        shop.week("2026-11-18", THEN)
        yield shop
