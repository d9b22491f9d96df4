"""From a shop's server to claims: an entry of a catalogue and a brochure are judged, and verify, like any page."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from crawler.market.site import card_of
from monitor import knowledge
from monitor.config import Config, Site
from monitor.evidence import recomputed as evidence
from monitor.evidence.packages.check import check
from monitor.evidence.packages.export import export
from monitor.intake import runs as intake
from monitor.tables.models import Claim, ClaimPlace, Page
from tests.crawler.conftest import Crawls
from tests.crawler.market.building import SHOPIFY_HEAD, as_json, page, product
from tests.crawler.test_us_pdf import tiny_pdf
from tests.loopback import Loopback, Reply

HOST = "www.orrel.example"
HOME = f"http://{HOST}/"
CURE = "Our exosomes cure arthritis."
HAIR = "The exosome infusion regrows hair on bald scalps."


def places(engine: Engine) -> dict[str, set[str]]:
    """Words of each standing claim, with the paths of the pages that it stands on."""
    found: dict[str, set[str]] = {}
    with Session(engine) as session:
        rows = session.exec(
            select(Claim, Page)
            .join(ClaimPlace, ClaimPlace.claim_id == Claim.id)  # type: ignore[arg-type]
            .join(Page, Page.id == ClaimPlace.page_id)  # type: ignore[arg-type]
            .where(ClaimPlace.lacking == 0)
        )
        for claim, stands_on in rows:
            found.setdefault(claim.quote, set()).add(stands_on.url.removeprefix(HOME))
    return found


def test_a_claim_stands_on_the_entry_on_its_page_and_in_the_brochure(
    web: Loopback, crawls: Crawls, sqlite_engine: Engine, tmp_path: Path
) -> None:
    card = card_of(Site(url=HOME, country="us"))
    crawls.card = card.model_dump(mode="json")
    shown = page("Exo Drops", "/prices.pdf", body=f"<p>{CURE}</p><p>$49.00</p>")
    brochure = Reply(tiny_pdf(f"Price list of the exosome clinic\n{HAIR}\nBook now"), content_type="application/pdf")
    web.routes |= {
        f"{HOST}/": page("Orrel", head=SHOPIFY_HEAD),
        f"{HOST}/products.json": as_json(
            {"products": [product(1, "Towel"), product(2, "Exo Drops", f"<p>{CURE}</p>")]}
        ),
        f"{HOST}/products/exo-drops": shown,
        f"{HOST}/prices.pdf": brochure,
    }
    config = Config(data=tmp_path, sites=(Site(url=HOME, country="us"),))

    ended = crawls.run()
    taken = intake.take_in(sqlite_engine, ended.folder, config, knowledge.load(), now=ended.run.finished_at)

    assert taken.state == "taken_in", taken.reasons
    found = places(sqlite_engine)
    cures = set().union(*(paths for quote, paths in found.items() if "arthritis" in quote))
    assert {"products/exo-drops.json", "products/exo-drops"} <= cures
    assert {"prices.pdf"} in [paths for quote, paths in found.items() if "hair" in quote]
    checked = evidence.verify(sqlite_engine, config)
    assert checked.broken == ()
    assert checked.quotes > 0
    with Session(sqlite_engine) as session:
        for claim in session.exec(select(Claim)).all():
            assert check(export(session, config, claim.id or 0, "", ended.run.finished_at)).broken == ()

    # the catalogue refuses a week later: nothing that stands on it is withdrawn, however often
    web.routes[f"{HOST}/products.json"] = Reply("", status=404)
    standing = found.keys()
    for _ in range(3):
        again = crawls.run()
        late = again.run.finished_at + timedelta(minutes=1)
        intake.take_in(sqlite_engine, again.folder, config, knowledge.load(), now=late)
    assert places(sqlite_engine).keys() == standing
    assert "products/exo-drops.json" in set().union(*places(sqlite_engine).values())
