"""Proposing sites: why each is proposed, on both databases, and that a person's choice holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Engine

from monitor import queries
from monitor.cli import main
from monitor.config import Config, Site
from monitor.config import load as configuration
from monitor.discovery.gathering import LinesError, add_file, gather_links, links_in
from monitor.discovery.proposals import NoSuchSiteError, Proposal, choices, decide, discover
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, load
from monitor.records import Expectation, NoticeType
from monitor.tables.db import open_engine
from monitor.tables.leads import Choice
from tests.monitor.archives import AT
from tests.runs import RunMaker, notice_card, page_card

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LETTER = "You sell exosomes at www.halden.example. They are not approved."


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path, sites=(Site(url="http://kelda.example/"),))


@pytest.fixture
def take(engine: Engine, config: Config, knowledge: Knowledge) -> Callable[[RunMaker], None]:
    def taken(maker: RunMaker) -> None:
        assert take_in(engine, maker.write(), config, knowledge).state == "taken_in"

    return taken


Take = Callable[[RunMaker], None]


def letters(config: Config, title: str = "Halden Labs", text: str = LETTER, **changes: Any) -> RunMaker:
    maker = RunMaker(notice_card(), NOW, config.runs_folder)
    values: dict[str, Any] = {"quoted_urls": ("www.halden.example", "https://www.fda.gov/exosomes")}
    maker.notice("one", title, text, **{**values, **changes})
    return maker


def pages(config: Config, html: str, url: str = "http://kelda.example/serum", at: datetime = NOW) -> RunMaker:
    maker = RunMaker(page_card(), at, config.runs_folder)
    maker.page(url, html)
    return maker


def candidate(url: str = "https://shop.vale.example/serum", **changes: Any) -> dict[str, Any]:
    told = {
        "url": url,
        "seen_at": AT,
        "tier": "core",
        "role": "seller",
        "names": [],
        "why": ["names “exosome”", "shows a price"],
        "archive": "/data/one.warc.gz",
    }
    return {**told, **changes}


def written(file: Path, *rows: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def proposed(engine: Engine, config: Config, knowledge: Knowledge) -> dict[str, Proposal]:
    return {one.site: one for one in discover(engine, config, knowledge).proposed}


# Reasons


def test_a_site_that_a_letter_quotes_is_proposed(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    take(letters(config))

    found = proposed(engine, config, knowledge)

    assert list(found) == ["halden.example"], "the regulator's own site is not proposed"
    proposal = found["halden.example"]
    assert (proposal.url, proposal.name) == ("https://www.halden.example/", "Halden Labs")
    (reason,) = proposal.reasons
    assert reason.why == "named in “Halden Labs” (warning letter of 2026-11-10, Office of Tests)"
    assert reason.url == "http://letters.example/one"


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "You sell lawn mowers.", "title": "Mowers"},
        {"notice_type": NoticeType.GUIDANCE},
        {"quoted_urls": ("https://www.kelda.example/x", "https://facebook.com/halden", "http://letters.example/2")},
        {"quoted_urls": ("https://www.nature.com/exosomes",)},
    ],
    ids=["about something else", "about nobody", "known, shared and the source itself", "a journal"],
)
def test_what_a_notice_quotes_in_passing_is_not_proposed(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take, changes: dict[str, Any]
) -> None:
    take(letters(config, **changes))

    assert proposed(engine, config, knowledge) == {}


def test_only_what_the_letter_says_now_counts(engine: Engine, config: Config, knowledge: Knowledge, take: Take) -> None:
    take(letters(config))
    again = RunMaker(notice_card(), datetime(2026, 11, 26, tzinfo=UTC), config.runs_folder)
    again.notice("one", "Halden Labs", LETTER + " Corrected.", quoted_urls=("https://other.example/",))
    take(again)

    assert list(proposed(engine, config, knowledge)) == ["other.example"]


def test_what_another_source_has_of_a_letter_counts_too(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    """A feed had one line of it, and the regulator's list has the letter with the seller's addresses."""
    take(letters(config, quoted_urls=("www.halden.example",)))
    card = notice_card("us_test_list", start="http://letters.example/list", expect=Expectation())
    maker = RunMaker(card, NOW, config.runs_folder)
    quoted = ("https://halden.example/joints", "https://shop.halden-clinic.example/exosomes")
    maker.notice("7", "Halden Labs", LETTER, url="http://letters.example/one", quoted_urls=quoted)
    take(maker)

    found = proposed(engine, config, knowledge)

    assert set(found) == {"halden.example", "halden-clinic.example"}
    assert len(found["halden.example"].reasons) == 1, "what the notice quotes itself is said once"
    (reason,) = found["halden-clinic.example"].reasons
    told = "“Halden Labs” (warning letter of 2026-11-10, Office of Tests), as us_test_list has it"
    assert (reason.why, reason.kind, reason.weight) == (f"named in {told}", "notice", 5)
    shown = queries.notice(engine, 1)
    assert shown is not None
    assert [one.host for one in shown.sellers] == ["halden.example", "shop.halden-clinic.example"]


def test_links_on_known_sellers_pages_are_looked_at_once(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    links = "<a href='https://www.vale.example/exosome-ampoules'>Our ampoules</a>"
    take(pages(config, f"<p>Exosome serum.</p>{links} <a href='https://plain.example/'>A friend</a>"))

    first = gather_links(engine, config, knowledge)
    second = gather_links(engine, config, knowledge)
    found = discover(engine, config, knowledge)

    assert (first.new, first.looked_at, first.unread) == (2, 1, ())
    assert (second.new, second.looked_at) == (0, 0)
    assert [one.site for one in found.proposed] == ["vale.example"]
    (reason,) = found.proposed[0].reasons
    assert reason.why == "linked from kelda.example as “Our ampoules”, 2026-11-25"
    assert reason.url == "http://kelda.example/serum"
    assert [one.site for one in found.weak] == ["plain.example"], "one link that says nothing is not enough"


def test_two_sellers_that_link_to_a_site_are_enough(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    link = "<a href='https://plain.example/'>A friend</a>"
    take(pages(config, link))
    other = RunMaker(page_card("site_second_example", start="http://second.example/"), NOW, config.runs_folder)
    other.page("http://second.example/", link)
    take(other)

    gather_links(engine, config, knowledge)

    assert list(proposed(engine, config, knowledge)) == ["plain.example"]


def test_the_same_link_on_every_page_of_a_seller_is_one(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    maker = RunMaker(page_card(), NOW, config.runs_folder)
    for number in range(5):
        maker.page(
            f"http://kelda.example/{number}", f"<p>Page {number}</p><a href='https://plain.example/'>A friend</a>"
        )
    take(maker)

    gathered = gather_links(engine, config, knowledge)

    assert (gathered.looked_at, gathered.new) == (5, 1)


def test_a_capture_that_cannot_be_read_is_told_and_tried_again(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    take(pages(config, "<a href='https://vale.example/exosomes'>x</a>"))
    (archive,) = config.runs_folder.glob("*/run.warc.gz")
    held = archive.read_bytes()
    archive.write_bytes(b"")

    broken = gather_links(engine, config, knowledge)
    archive.write_bytes(held)
    mended = gather_links(engine, config, knowledge)

    assert broken.looked_at == 0
    assert "http://kelda.example/serum" in broken.unread[0]
    assert (mended.looked_at, mended.new) == (1, 1)


def test_links_of_a_page(knowledge: Knowledge) -> None:
    html = b"""<base><a href="/own">own</a><a href="//vale.example/a">Exosomes</a><a href="https://vale.example/a">twice</a>
    <a href="mailto:a@vale.example">m</a><a href="https://wa.me/1">w</a><a href="http://[broken">b</a>
    <a href="https://shop.kelda.example/x">same site</a><a href="https://h.example/stem-cell-serum">s</a>
    <a href="https://h.example/%D1%8D%D0%BA%D0%B7%D0%BE%D1%81%D0%BE%D0%BC%D1%8B">r</a><a>no address</a>"""

    found = list(links_in(html, "text/html", "http://kelda.example/", knowledge))

    assert [(link.url, link.names_product) for link in found] == [
        ("http://vale.example/a", True),
        ("https://vale.example/a", False),
        ("https://h.example/stem-cell-serum", True),
        ("https://h.example/%D1%8D%D0%BA%D0%B7%D0%BE%D1%81%D0%BE%D0%BC%D1%8B", True),
    ]


def test_what_a_sweep_found_is_proposed(engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path) -> None:
    file = written(tmp_path / "sweep.jsonl", candidate(), candidate("https://kelda.example/known"))

    first, second = add_file(engine, file), add_file(engine, file)
    found = proposed(engine, config, knowledge)

    assert ((first.new, first.looked_at), (second.new, second.looked_at)) == ((2, 2), (0, 2))
    assert list(found) == ["vale.example"]
    assert found["vale.example"].reasons[0].why == "a page of it, archived 2026-10-10, names “exosome”; shows a price"


def test_a_product_of_a_known_seller_elsewhere_is_a_reason(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take, tmp_path: Path
) -> None:
    ld = {"@type": "Product", "name": "Kelda ExoVita Serum"}
    claim = "<h1>Kelda ExoVita Serum</h1><p>Our exosome serum cures hair loss and regrows your hair.</p>"
    take(pages(config, f"<script type='application/ld+json'>{json.dumps(ld)}</script>{claim}"))
    rows = [
        candidate("https://vale.example/1", names=["KELDA ExoVita  serum"], tier="adjacent"),
        candidate("https://third.example/1", names=["Exosome Serum"], tier="adjacent"),
    ]
    add_file(engine, written(tmp_path / "sweep.jsonl", *rows))

    found = proposed(engine, config, knowledge)

    kinds = {site: [reason.kind for reason in one.reasons] for site, one in found.items()}
    assert kinds == {"vale.example": ["same_product", "swept"], "third.example": ["swept"]}
    assert "which kelda.example sells as “Kelda ExoVita Serum”" in found["vale.example"].reasons[0].why


def test_an_address_that_common_crawl_has_is_a_reason(
    engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path
) -> None:
    told = {"crawl": "CC-MAIN-2026-43", "seen_at": AT, "record": None, "digest": "A", "pattern": "vale.example"}
    rows = [
        {"url": "https://vale.example/exosomes", "telling": 3, **told},
        {"url": "https://meek.example/stem-cells", "telling": 2, **told},
        {"url": "https://dull.example/hair", "telling": 1, **told},
    ]
    add_file(engine, written(tmp_path / "addresses.jsonl", *rows))

    found = discover(engine, config, knowledge)

    assert [one.site for one in found.proposed] == ["vale.example"]
    assert [one.site for one in found.weak] == ["meek.example"]
    why = found.proposed[0].reasons[0].why
    assert why == "captured at a telling address by CC-MAIN-2026-43, 2026-10-10"


def test_the_site_with_the_most_reasons_comes_first(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take, tmp_path: Path
) -> None:
    take(letters(config))
    rows = [candidate("https://a.example/1"), *(candidate(f"https://www.halden.example/{n}") for n in range(9))]
    add_file(engine, written(tmp_path / "sweep.jsonl", *rows))

    found = discover(engine, config, knowledge).proposed

    assert [(one.site, one.weight) for one in found] == [("halden.example", 8), ("a.example", 3)]
    assert found[0].reasons[0].kind == "notice"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("not json", "no line of JSON"),
        ("[]", "no"),
        ('{"url": "https://a.example/"}', "neither a sweep's candidate nor an address of Common Crawl"),
        (json.dumps(candidate(seen_at="2026-10-10T10:00:00")), "seen_at"),
        ('{"telling": 9, "url": "x", "crawl": "c", "seen_at": "2026-10-10T10:00:00Z"}', "telling"),
    ],
)
def test_a_file_with_a_wrong_line_is_not_taken_up_at_all(
    engine: Engine, config: Config, knowledge: Knowledge, tmp_path: Path, line: str, told: str
) -> None:
    file = tmp_path / "sweep.jsonl"
    file.write_text(json.dumps(candidate()) + "\n" + line + "\n")

    with pytest.raises(LinesError, match=rf"sweep\.jsonl:2: .*{told}"):
        add_file(engine, file)
    assert proposed(engine, config, knowledge) == {}


# Choices


def choose(
    engine: Engine, config: Config, knowledge: Knowledge, site: str, choice: Choice, why: str = "Sells it."
) -> None:
    decide(engine, config, knowledge, site, choice, reason=why, by="ana", at=NOW)


def test_a_refused_site_is_not_proposed_again_whatever_comes(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take, tmp_path: Path
) -> None:
    take(letters(config))
    choose(engine, config, knowledge, "halden.example", Choice.REFUSED, "A parked name.")
    add_file(engine, written(tmp_path / "sweep.jsonl", candidate("https://www.halden.example/new")))

    found = discover(engine, config, knowledge)

    assert (found.proposed, found.weak, found.accepted, found.refused) == ((), (), (), 1)
    (held,) = choices(engine)
    assert (held.site, held.choice, held.reason, held.decided_by, held.at) == (
        "halden.example",
        "refused",
        "A parked name.",
        "ana",
        NOW,
    )
    assert held.shown == ("named in “Halden Labs” (warning letter of 2026-11-10, Office of Tests)",)


def test_an_accepted_site_waits_until_the_configuration_has_it(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    take(letters(config))
    choose(engine, config, knowledge, "https://www.halden.example/x", Choice.ACCEPTED)

    waiting = discover(engine, config, knowledge)
    read = config.model_copy(update={"sites": (*config.sites, Site(url="https://halden.example/"))})

    assert [one.site for one in waiting.accepted] == ["halden.example"]
    assert waiting.proposed == ()
    assert discover(engine, read, knowledge).accepted == ()


def test_the_latest_choice_holds_and_the_first_is_kept(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    take(letters(config))
    choose(engine, config, knowledge, "halden.example", Choice.REFUSED)
    choose(engine, config, knowledge, "halden.example", Choice.ACCEPTED)

    assert [one.site for one in discover(engine, config, knowledge).accepted] == ["halden.example"]
    assert [one.choice for one in choices(engine)] == ["accepted"]


def test_a_choice_needs_a_reason_and_a_site_that_something_points_to(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take
) -> None:
    take(letters(config))

    with pytest.raises(ValueError, match="needs a reason"):
        choose(engine, config, knowledge, "halden.example", Choice.REFUSED, "  ")
    with pytest.raises(NoSuchSiteError) as error:
        choose(engine, config, knowledge, "haldn.example", Choice.REFUSED)
    assert error.value.known == ("halden.example",)
    assert choices(engine) == ()


def test_an_entry_is_one_that_the_configuration_takes(
    engine: Engine, config: Config, knowledge: Knowledge, take: Take, tmp_path: Path
) -> None:
    """Names and addresses come from other people's pages."""
    take(letters(config, title='Halden: \u2028 {Labs} # "Ltd\'"', quoted_urls=("https://www.halden.example/a b?c=#d",)))
    rows = [candidate("https://www.halden.example/exosomes"), candidate("https://x@www.halden.example/b")]
    add_file(engine, written(tmp_path / "sweep.jsonl", *rows))

    entry = proposed(engine, config, knowledge)["halden.example"].entry()

    (site,) = (Site.model_validate(one) for one in yaml.safe_load(entry))
    assert site.url == "https://www.halden.example/"
    assert "https://www.halden.example/exosomes" in site.start
    assert not any("@" in url for url in site.start)


# The commands


def desk(tmp_path: Path) -> tuple[Path, Config]:
    data = {"data": str(tmp_path / "var"), "rehearsal": {"address": "127.0.0.1:9999"}, "sites": []}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(data))
    return file, Config(data=tmp_path / "var")


def run(*arguments: str) -> int:
    try:
        main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_commands_propose_and_keep_what_is_decided(
    tmp_path: Path, knowledge: Knowledge, capsys: pytest.CaptureFixture[str]
) -> None:
    file, config = desk(tmp_path)
    told = ["--config", str(file), "discover"]
    assert run(*told) == 0
    assert "0 sites proposed" in capsys.readouterr().out
    engine = open_engine(config.database_url)
    take_in(engine, letters(config).write(), config, knowledge)
    engine.dispose()
    sweep = written(tmp_path / "sweep.jsonl", candidate(), candidate("https://third.example/a\x1b[2J"))

    assert run(*told, "add", str(sweep)) == 0
    assert "2 leads, 2 of them new" in capsys.readouterr().out
    assert run(*told) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "halden.example  https://www.halden.example/  Halden Labs\n    named in “Halden Labs” (warning letter"
    )
    assert "3 sites proposed" in out
    assert "\x1b" not in out

    assert run(*told, "accept", "halden.example", "--why", "It sells.", "--by", "ana") == 0
    out = capsys.readouterr().out
    assert "- url: https://www.halden.example/" in out
    assert run(*told, "refuse", "vale.exmple", "--why", "No.") == 2
    assert "vale.exmple is not proposed; did you mean vale.example?" in capsys.readouterr().err
    assert run(*told, "refuse", "vale.example", "--why", " ") == 2
    assert run(*told, "refuse", "vale.example", "--why", "A museum.") == 0
    capsys.readouterr()

    assert run(*told, "--json") == 0
    assert [json.loads(line)["site"] for line in capsys.readouterr().out.splitlines()] == ["third.example"]
    assert run(*told) == 0
    out = capsys.readouterr().out
    assert "Accepted, and not in the configuration yet" in out
    assert "1 refused" in out
    assert run(*told, "choices") == 0
    assert "vale.example  refused by" in capsys.readouterr().out


def test_what_is_printed_for_an_accepted_site_makes_it_a_source(
    tmp_path: Path, knowledge: Knowledge, capsys: pytest.CaptureFixture[str]
) -> None:
    file, config = desk(tmp_path)
    assert run("--config", str(file), "discover", "choices") == 0
    engine = open_engine(config.database_url)
    take_in(engine, letters(config).write(), config, knowledge)
    engine.dispose()
    capsys.readouterr()

    assert run("--config", str(file), "discover", "accept", "halden.example", "--why", "It sells.") == 0
    head, _, entry = capsys.readouterr().out.partition("\n")

    assert head == f"halden.example: accepted. Put under sites: in {file}, or accept it with --add:"
    before = file.read_text()
    file.write_text(before.replace("sites: []\n", f"sites:\n{entry}"))
    assert run("--config", str(file), "sources", "off", "site_halden_example") == 0

    file.write_text(before)
    capsys.readouterr()
    assert run("--config", str(file), "discover", "accept", "halden.example", "--why", "It sells.", "--add") == 0
    assert f"{file}: added under sites:\n{entry.splitlines()[0]}" in capsys.readouterr().out
    assert [site.source_id for site in configuration(file).sites] == ["site_halden_example"]


def test_a_wrong_file_of_leads_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, _ = desk(tmp_path)

    assert run("--config", str(file), "discover", "add", str(tmp_path / "none.jsonl")) == 2
    assert "none.jsonl: cannot be read" in capsys.readouterr().err
