"""Tables for export: each has what its columns say, each filter narrows, and the site and the command give them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine
from sqlmodel import col, select

from monitor.config import Config
from monitor.market import review
from monitor.queries import exports, remember_digest
from monitor.queries.exports import TABLES, FilterError, Filters, shapes
from monitor.tables.db import transaction
from monitor.tables.models import Event, PageVersion, ReviewState, Run
from monitor.tables.product_facts import ProductFact
from monitor.tables.registers import Authorisation, Publication, Trial
from reports.__main__ import main
from reports.exports.filters import filters_of
from reports.exports.sheets import FORMATS
from reports.site.app import create_app
from tests.reports import factory
from tests.reports.conftest import Stored, served
from tests.reports.exports.workbooks import Workbook
from tests.reports.two_weeks import two_weeks

DOCS = Path(__file__).parents[3] / "docs" / "exports.md"
TYPES: dict[str, Any] = {
    "text": str, "number": (int, float), "boolean": bool, "date": date, "time": datetime, "list": tuple,
}  # fmt: skip
MARK = "<!-- Written by `python -m tests.reports.exports.test_export_tables`. -->\n\n"
WATCHLIST = "Arthritis watch"


def fill(engine: Engine) -> dict[str, Any]:
    """Two weeks, with one of everything that registers hold, a decision, and a digest."""
    ids = two_weeks(engine)
    with transaction(engine) as session:
        make = factory.Factory(session, counter=500)
        run = session.exec(select(Run).where(Run.source_id == "us_letters").order_by(col(Run.id))).first()
        assert run
        seen: dict[str, Any] = {
            "source_id": run.source_id, "key": "NCT1", "url": "https://registry.example/1", "content_digest": "d",
            "capture_id": make.capture(run, "https://registry.example/1").id, "first_seen": run.finished_at,
            "last_seen": run.finished_at,
        }  # fmt: skip
        session.add(
            Trial(title="Exosomes in alopecia", jurisdiction="us", status="Recruiting", tier="core",
                  phases=["1", "2"], enrolment=40, started=date(2026, 1, 2), **seen)
        )  # fmt: skip
        session.add(
            Publication(title="On vesicles", authors=["A", "B"], tier="core", published=date(2026, 5, 1), **seen)
        )
        session.add(
            Authorisation(product="Graft", authority="Agency", jurisdiction="us", status="authorised",
                          kinds=["BLA"], **seen)
        )  # fmt: skip
        version = session.exec(select(PageVersion)).first()
        assert version
        session.add(
            ProductFact(product_id=ids["serum"], page_id=version.page_id, kind="form", value="serum", quote="serum",
                        version_id=version.id or 0, capture_id=version.capture_id, start=5, end=10,
                        first_seen=factory.MONDAY, last_seen=factory.MONDAY)
        )  # fmt: skip
        for told in session.exec(select(Event).where(Event.object_kind == "claim")):
            told.jurisdictions = ["us"]
            told.detail = {**told.detail, "category": "disease_treatment"}
    review.decide(engine, ids["safe"], ReviewState.CONFIRMED, reason="read twice", reviewer="A person", at=factory.NOW)
    return ids


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, dict[str, Any]]]:
    """For tests that only read."""
    import shutil

    from monitor.tables.db import open_engine

    path = tmp_path_factory.mktemp("exports") / "exowatch.db"
    shutil.copy(sqlite_template, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine, fill(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def client(filled: tuple[Engine, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    engine, _ = filled
    app = create_app(engine, Config(data=tmp_path_factory.mktemp("data")), factory.law)
    with served(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def rows(engine: Engine, name: str, **asked: Any) -> list[dict[str, Any]]:
    table = TABLES[name]
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in exports.rows(engine, table, Filters(**asked))]


def test_every_table_has_what_its_columns_say(engine: Engine) -> None:
    fill(engine)
    for table in TABLES.values():
        found = list(exports.rows(engine, table, Filters()))
        assert found or table.name in ("digests", "clusters"), table.name
        for row in found:
            assert len(row) == len(table.columns), table.name
            for column, value in zip(table.columns, row, strict=True):
                assert value is None or isinstance(value, TYPES[column.kind]), (table.name, column.name, value)
                assert not (isinstance(value, bool) and column.kind == "number")
                if column.kind == "time" and value:
                    assert value.tzinfo is not None, (table.name, column.name)
    assert rows(engine, "claims", jurisdiction="uk")[0]["jurisdictions"] == ("uk", "us")
    assert len(rows(engine, "events", jurisdiction="us", category="disease_treatment")) > 3


def test_names_and_meanings_are_given_once() -> None:
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names))
        assert all(column.meaning for column in table.columns)
        assert set(table.filters) <= set(Filters().__dataclass_fields__)


def test_batches_join_without_a_seam(filled: tuple[Engine, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    engine, _ = filled
    whole = {name: rows(engine, name) for name in TABLES}
    monkeypatch.setattr(shapes, "BATCH", 2)
    assert {name: rows(engine, name) for name in TABLES} == whole
    assert [row["id"] for row in whole["events"]] == sorted(row["id"] for row in whole["events"])


def test_every_filter_narrows(filled: tuple[Engine, dict[str, Any]]) -> None:
    engine, ids = filled
    given = {
        "jurisdiction": "us", "category": "disease_treatment", "severity": "High", "source": "us_letters",
        "watchlist": WATCHLIST, "since": "2026-11-16", "until": "2026-11-15", "claim": str(ids["arthritis"]),
        "notice": str(ids["new"]), "page": "1", "product": str(ids["serum"]), "organisation": str(ids["glow"]),
        "object": f"claim:{ids['arthritis']}",
    }  # fmt: skip
    kinds = {"notices": "warning_letter", "events": "page_gone", "matches": "claim_reworded", "facts": "form"}
    for table in TABLES.values():
        whole = set(map(repr, exports.rows(engine, table, Filters())))
        kind = kinds.get(table.name, "")
        for name in table.filters:
            asked = filters_of(table, {name: kind if name == "kind" else given[name]})
            found = set(map(repr, exports.rows(engine, table, asked)))
            assert found <= whole, (table.name, name)


def test_filters_keep_what_they_say(filled: tuple[Engine, dict[str, Any]]) -> None:
    engine, ids = filled
    assert {row["severity"] for row in rows(engine, "claims", severity="High")} == {"High"}
    assert [row["id"] for row in rows(engine, "claims", jurisdiction="uk")] == [ids["arthritis"]]
    assert [row["id"] for row in rows(engine, "claims", watchlist=WATCHLIST)] == [ids["arthritis"]]
    assert len(rows(engine, "claims", organisation=ids["glow"])) == 4
    assert {row["claim_id"] for row in rows(engine, "findings", claim=ids["scalp"])} == {ids["scalp"]}
    assert [row["event_about"] for row in rows(engine, "matches", watchlist=WATCHLIST)] == [f"claim:{ids['arthritis']}"]
    assert [row["why"] for row in rows(engine, "matches")] == [("terms: arthritis (“treats arthritis in two weeks”)",)]
    first = rows(engine, "claims", until=date(2026, 11, 9))
    later = rows(engine, "claims", since=date(2026, 11, 10))
    assert {row["id"] for row in first} == {ids["arthritis"], ids["hair"]}
    assert len(first) + len(later) == len(rows(engine, "claims"))
    assert [row["quote"] for row in rows(engine, "dropped", claim=ids["safe"])] == ["It does not cure anything."]
    assert [row["state"] for row in rows(engine, "reviews", claim=ids["safe"])] == ["confirmed"]
    assert {row["about"] for row in rows(engine, "events", object="notice:2")} == {"notice:2"}
    assert [row["title"] for row in rows(engine, "notices", notice=ids["new"])] == ["Letter to Glow Labs"]
    assert [row["organisations"] for row in rows(engine, "notices", notice=ids["new"])] == [("Glow Labs",)]


@pytest.mark.parametrize(
    ("table", "given", "says"),
    [
        ("trials", {"category": "x"}, "the table trials has no filter category; it has: jurisdiction, source"),
        ("claims", {"jurisdiction": "gb"}, "no such jurisdiction: gb"),
        ("claims", {"severity": "high"}, "did you mean High?"),
        ("claims", {"since": "yesterday"}, "write it as 2026-11-16"),
        ("claims", {"claim": "-1"}, "is no number"),
        ("claims", {"claim": "99999999999"}, "is no number"),
        ("events", {"object": "claims/1"}, "such as claim:12"),
        ("events", {"kind": "warning_letter"}, "no such kind"),
        ("notices", {"kind": "warning_leter"}, "did you mean warning_letter?"),
        ("claims", {"__class__": "x"}, "has no filter"),
    ],
)
def test_a_wrong_filter_is_no_empty_table(table: str, given: dict[str, str], says: str) -> None:
    with pytest.raises(FilterError, match=says.replace("?", r"\?")):
        filters_of(TABLES[table], given)


def test_a_filter_that_a_table_lacks_is_refused_below_too(filled: tuple[Engine, dict[str, Any]]) -> None:
    with pytest.raises(FilterError, match="has no filter severity"):
        exports.rows(filled[0], TABLES["runs"], Filters(severity="High"))


def test_a_product_is_taken_away_with_what_is_said_of_it(filled: tuple[Engine, dict[str, Any]]) -> None:
    engine, ids = filled
    (serum,) = rows(engine, "products", product=ids["serum"])
    assert (serum["form"], serum["route"]) == (("serum",), ())
    claims = rows(engine, "claims", product=ids["serum"])
    standing = [row for row in claims if row["state"] in ("live", "missing", "rewording")]
    assert (serum["claims"], serum["standing"]) == (len(claims), len(standing))
    assert serum["flagged"] == sum(row["decision"] == "flag" for row in standing)
    (fact,) = rows(engine, "facts", product=ids["serum"])
    assert rows(engine, "facts", page=fact["page_id"]) == [fact]
    assert rows(engine, "facts", page=fact["page_id"] + 1) == []


def test_a_site_s_tables_have_what_its_page_counts(filled: tuple[Engine, dict[str, Any]]) -> None:
    engine, _ = filled
    for site in rows(engine, "sites"):
        here = {"source": site["id"]}
        pages = rows(engine, "pages", **here)
        assert site["pages"] == sum(page["state"] == "live" for page in pages)
        assert site["products"] == len(rows(engine, "products", **here))
        assert len(rows(engine, "versions", **here)) == sum(page["versions"] for page in pages)
        flagged = [row for row in rows(engine, "claims", **here) if row["decision"] == "flag" and not row["ended"]]
        assert site["flagged"] == len(flagged)
        assert rows(engine, "sites", **here) == [site]
    assert rows(engine, "sites", source="us_letters") == [], "a regulator's list is no site"


def test_a_page_is_taken_away_with_its_texts_and_claims(filled: tuple[Engine, dict[str, Any]]) -> None:
    engine, _ = filled
    for page in rows(engine, "pages"):
        versions = rows(engine, "versions", page=page["id"])
        assert len(versions) == page["versions"]
        for version in versions:
            assert version["text_sha256"] == sha256(version["text"].encode()).hexdigest()
    placed = {
        page["id"]: {row["id"] for row in rows(engine, "claims", page=page["id"])} for page in rows(engine, "pages")
    }
    assert set().union(*placed.values()) == {row["id"] for row in rows(engine, "claims")}
    assert sum(map(len, placed.values())) == len(set().union(*placed.values()))


def test_the_site_gives_every_table(client: httpx.Client) -> None:
    page = LexborHTMLParser(client.get("/export").text)
    links = [str(link.attributes["href"]) for link in page.css("p.downloads a")]
    assert len(links) == 3 * len(TABLES)
    for link in links:
        answer = client.get(link)
        form = link.rpartition(".")[2]
        assert answer.status_code == 200, link
        assert answer.headers["content-type"] == FORMATS[form]
        assert answer.headers["content-disposition"] == f'attachment; filename="exowatch-{link.rpartition("/")[2]}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        if form == "json":
            table = json.loads(answer.content)
            assert table["rows"] == json.loads(json.dumps(table["rows"]))
        if form == "xlsx":
            assert list(Workbook(answer.content).sheets)[-1] == "About"


def test_every_page_gives_its_tables(client: httpx.Client, filled: tuple[Engine, dict[str, Any]]) -> None:
    _, ids = filled
    pages = ["/", "/health", "/search?q=serum", f"/claims/{ids['arthritis']}", f"/notices/{ids['new']}",
             f"/organisations/{ids['glow']}", f"/products/{ids['serum']}"]  # fmt: skip
    for address in pages:
        page = LexborHTMLParser(client.get(address).text)
        links = [
            str(link.attributes["href"]) for link in page.css("p.downloads a[href$=csv], p.downloads a[href*='csv?']")
        ]
        assert links, address
        for link in links:
            answer = client.get(link)
            assert answer.status_code == 200, link
            assert len(list(csv.reader(StringIO(answer.content.decode("utf-8-sig"), newline="")))) > 1, link


def test_a_search_is_taken_away_as_it_was_asked(client: httpx.Client) -> None:
    found = client.get("/export/search.json", params={"q": "arthritis", "kind": "claim"}).json()
    assert [(row["kind"], row["title"]) for row in found["rows"]] == [("claim", "treats arthritis in four weeks")]
    assert found["filters"] == {"q": "arthritis", "kind": "claim"}
    assert client.get("/export/search.csv?page=2").status_code == 400


def test_hostile_text_in_a_download_is_no_formula(client: httpx.Client) -> None:
    cells = [cell for row in csv.reader(StringIO(client.get("/export/organisations.csv").text)) for cell in row]
    assert any(cell.startswith("Glow<script>") for cell in cells)
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/export/claims.xls", 404), ("/export/none.csv", 404), ("/export/..%2Fclaims.csv", 404),
        ("/export/claims.csv?severity=high", 400), ("/export/claims.csv?x=1", 400),
        ("/export/claims.csv?claim=0x1", 400),
    ],
)  # fmt: skip
def test_what_is_no_table_is_told(client: httpx.Client, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_the_command_writes_files(
    sqlite_template: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    import shutil

    from monitor.tables.db import open_engine

    shutil.copy(sqlite_template, tmp_path / "exowatch.db")
    engine = open_engine(f"sqlite:///{tmp_path}/exowatch.db")
    fill(engine)
    config = tmp_path / "config.yaml"
    config.write_text(f"data: {tmp_path}\n", encoding="utf-8")
    asked = ["export", "claims", "--config", str(config), "--severity", "High"]
    assert main([*asked, "--out", str(tmp_path / "high.xlsx")]) == 0
    assert capsysbinary.readouterr().out == f"{tmp_path}/high.xlsx: 2 rows\n".encode()
    assert len(Workbook((tmp_path / "high.xlsx").read_bytes()).sheets["claims"]) == 3
    assert main([*asked, "--format", "jsonl"]) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 2
    assert main(["export", "--config", str(config)]) == 0
    assert [line.split()[0] for line in capsysbinary.readouterr().out.decode().splitlines()] == list(TABLES)
    assert main(["export", "claim", "--config", str(config)]) == 2
    assert b"no such table: claim; there are: claims, findings" in capsysbinary.readouterr().err
    assert main([*asked, "--out", str(tmp_path / "none" / "x.csv")]) == 2
    assert b"No such file or directory; give another --out" in capsysbinary.readouterr().err
    assert not list(tmp_path.glob(".*.part"))
    engine.dispose()


def test_the_numbers_of_a_digest_are_taken_away(stored: Stored, visit: Callable[[FastAPI], httpx.Client]) -> None:
    stored.digest()
    client = visit(create_app(stored.engine, stored.config, factory.law))
    link = LexborHTMLParser(client.get("/digests/2026-W47").text).css_first("p.downloads a[href*='.json']")
    told = client.get(str(link.attributes["href"])).json()  # type: ignore[union-attr]
    assert told["digest"] == "2026-W47"
    numbers = {row["jurisdiction"]: row for row in told["rows"]}
    assert list(numbers)[-1] == "all"
    assert numbers["us"]["notices_core"] == 2
    assert numbers["all"]["withdrawn"] == 1
    assert client.get("/export/glance.csv?digest=..%2Fx").status_code == 404
    assert client.get("/export/glance.csv").status_code == 404


def test_a_digest_that_was_written_is_in_its_table(sqlite_engine: Engine) -> None:
    remember_digest(
        sqlite_engine, "2026-W47", period_from=factory.MONDAY, period_to=factory.NOW, written_at=factory.NOW,
        sha256="a" * 64, counts={"appeared": 2},
    )  # fmt: skip
    (row,) = rows(sqlite_engine, "digests")
    assert (row["name"], row["counts"], row["from"]) == ("2026-W47", ("appeared: 2",), factory.MONDAY)


def explained() -> str:
    """Every table with its columns, as the documentation has them."""
    parts = []
    for table in TABLES.values():
        filters = ", ".join(f"`{name}`" for name in table.filters) or "none"
        parts += [
            f"## {table.name}\n",
            f"{table.meaning} Filters: {filters}.\n",
            "| column | kind | meaning |",
            "|---|---|---|",
        ]
        parts += [f"| `{column.name}` | {column.kind} | {column.meaning} |" for column in table.columns]
        parts.append("")
    return "\n".join(parts)


def test_every_column_is_explained() -> None:
    assert DOCS.read_text(encoding="utf-8").endswith(f"{MARK}{explained()}"), (
        "python -m tests.reports.exports.test_export_tables"
    )


if __name__ == "__main__":
    DOCS.write_text(DOCS.read_text(encoding="utf-8").partition(MARK)[0] + MARK + explained(), encoding="utf-8")
