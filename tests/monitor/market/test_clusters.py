"""The same wording on several sites: which claims belong together, whatever the order in which they were read."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor import queries
from monitor.config import Config, Site
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, load
from monitor.lives import ClaimState
from monitor.market.clusters import Form, components, form_of, group, is_known_again
from monitor.migrations import upgrade
from monitor.reading.surroundings import around
from monitor.reading.text import Document, read_html
from monitor.tables.clusters import ClaimCluster, ClusterBand, ClusterWording
from monitor.tables.db import open_engine, reading, transaction
from monitor.tables.models import Claim, Page, Run, Source
from tests.reports.factory import Factory
from tests.runs import RunMaker, page_card

NOW = datetime(2026, 11, 9, 6, tzinfo=UTC)
HAIR = "Our exosome serum wakes sleeping follicles and regrows hair on bald scalps within weeks."
HAIR_NEAR = "Our exosome serum wakes sleeping follicles and regrows hair on a bald scalp within a few weeks."
HAIR_NEARER = "Our exosome serum wakes sleeping follicles, growing hair on a bald scalp within a few days."
JOINTS = "The infusion of exosomes rebuilds worn cartilage and ends the pain of arthritis for good."
JAPANESE = "当院のエクソソーム点滴は傷んだ関節の軟骨を再生し、長年の痛みを取り除きます。"
JAPANESE_NEAR = "当院のエクソソーム点滴は傷んだ関節の軟骨を再生し、長年の痛みを取り除きました。"
ARABIC = "يعيد مصل الإكسوسومات نمو الشعر على الفروة الصلعاء خلال أسابيع قليلة ومن دون أي ألم."


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


class Market:
    """Sites with claims, taken into the clusters one claim after the other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ids: list[int] = []

    def put(self, *claims: tuple[str, str]) -> list[int]:
        """Host and quote of each; gives the claims' ids."""
        put: list[int] = []
        with transaction(self.engine) as session:
            factory = Factory(session, counter=1000 * len(self.ids))
            runs: dict[str, Run] = {}
            for host, quote in claims:
                if host not in runs:
                    runs[host] = self._first_run(session, factory, host)
                url = f"https://{host}/{len(self.ids) + len(put)}"
                owner = factory.organisation(f"{host.split('.')[-2].title()} Labs")
                _, version = factory.page(runs[host], url, quote, owner)
                claim = factory.claim(version, quote)
                group(session, [claim])
                put.append(claim.id or 0)
        self.ids += put
        return put

    def _first_run(self, session: Session, factory: Factory, host: str) -> Run:
        name = f"site_{host.replace('.', '_')}"
        source = session.get(Source, name) or factory.source(name, kind="page")
        return factory.run(source, NOW)

    def change(self, claim_id: int, **values: str) -> None:
        with transaction(self.engine) as session:
            claim = session.get_one(Claim, claim_id)
            for name, value in values.items():
                setattr(claim, name, value)
            session.add(claim)
            session.flush()
            group(session, [claim])

    def clusters(self) -> set[frozenset[int]]:
        """Every cluster of two claims or more."""
        found: dict[str, set[int]] = {}
        with reading(self.engine) as session:
            for cluster, claim in session.exec(
                select(ClusterWording.cluster, ClaimCluster.claim_id).join(
                    ClaimCluster, col(ClaimCluster.wording_id) == ClusterWording.id
                )
            ):
                found.setdefault(cluster or f"alone {claim}", set()).add(claim)
        return {frozenset(each) for each in found.values() if len(each) > 1}


def test_near_wordings_of_several_sites_are_one_cluster(engine: Engine) -> None:
    market = Market(engine)
    one, other, third, joints = market.put(
        ("kelda.example", HAIR), ("luma.example", HAIR_NEAR), ("mirror.example", HAIR), ("kelda.example", JOINTS)
    )

    assert market.clusters() == {frozenset({one, other, third})}
    assert queries.reach(engine, [one, other, joints, 99_999]) == {one: 3, other: 3, joints: 1}
    assert [(each.site, each.quote) for each in queries.cluster_of(engine, one)] == [
        ("luma.example", HAIR_NEAR),
        ("mirror.example", HAIR),
    ]
    assert queries.cluster_of(engine, joints) == ()


def test_writing_without_spaces_is_compared_by_characters(sqlite_engine: Engine) -> None:
    market = Market(sqlite_engine)
    japanese, near, arabic, same = market.put(
        ("a.example", JAPANESE), ("b.example", JAPANESE_NEAR), ("c.example", ARABIC), ("d.example", ARABIC)
    )

    assert market.clusters() == {frozenset({japanese, near}), frozenset({arabic, same})}


def test_sister_sites_sell_under_other_names(sqlite_engine: Engine) -> None:
    """The firm's own name is left out on either side; somebody else's is not."""
    sentence = "{} {} exosomes rebuild worn cartilage {} and end pain."
    market = Market(sqlite_engine)
    market.put(
        ("kelda.example", sentence.format("Kelda", "Kelda", "Kelda")),
        ("lumaderma.example", sentence.format("Lumaderma", "Lumaderma", "Lumaderma")),
        ("third.example", sentence.format("Somebody", "Somebody", "Somebody")),
    )

    assert market.clusters() == {frozenset(market.ids[:2])}


def test_short_wordings_are_no_sign_of_anything(sqlite_engine: Engine) -> None:
    market = Market(sqlite_engine)
    one, _ = market.put(("a.example", "Clinically proven exosomes"), ("b.example", "Clinically proven exosomes"))

    assert market.clusters() == set()
    assert queries.reach(sqlite_engine, [one]) == {one: 1}


DISEASES = ("Arthritis", "COPD", "Lupus", "Multiple sclerosis", "Parkinson's disease", "Crohn's disease")


def listed(*items: str, heading: str = "What our exosomes treat") -> Document:
    return read_html(f"<h2>{heading}</h2><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul><p>Call us.</p>")


def form_in(document: Document, quote: str, *names: str) -> Form:
    start = document.text.index(quote)
    return form_of(quote, names, around(document, start, start + len(quote), is_known_again))


def test_a_short_wording_is_known_again_by_the_list_it_stands_in() -> None:
    own, turned = listed(*DISEASES), listed(*reversed(DISEASES))
    more = listed(*DISEASES[:3], "Gout", *DISEASES[3:])
    other = listed("Arthritis", "Hip pain", "Tennis elbow", "Rotator cuff tears", "Meniscus tears", heading="Joints")
    arthritis = form_in(own, "Arthritis")

    assert arthritis.is_long_enough
    assert [arthritis.is_near(form_in(each, "Arthritis")) for each in (turned, more, other)] == [True, True, False]
    assert arthritis.bands() & form_in(more, "Arthritis").bands()
    lupus = form_in(own, "Lupus")
    assert not arthritis.is_near(lupus)
    assert not arthritis.bands() & lupus.bands()


@pytest.mark.parametrize(
    "html",
    [
        "<p>Arthritis</p>",
        "<ul><li>Arthritis</li><li>COPD</li></ul>",
        "<h2>Arthritis</h2><p>Ask our doctor about it.</p>",
    ],
)
def test_a_short_wording_that_stands_alone_belongs_nowhere(html: str) -> None:
    assert not form_in(read_html(html), "Arthritis").is_long_enough


def test_a_short_wording_in_a_sentence_is_known_by_the_sentence() -> None:
    sentence = "Ask {} how a drip of exosomes regrows hair on the scalp of men and women."
    kelda, luma, else_where = (
        read_html(f"<p>{words}</p>")
        for words in (
            sentence.format("Kelda"),
            sentence.format("Luma"),
            "We read with interest that a mouse in a study regrows hair after some weeks.",
        )
    )

    assert form_in(kelda, "regrows hair", "Kelda").is_near(form_in(luma, "regrows hair", "Luma"))
    assert not form_in(kelda, "regrows hair").is_near(form_in(else_where, "regrows hair"))


def test_mirrors_share_their_lists_and_strangers_do_not(
    sqlite_engine: Engine, tmp_path: Path, knowledge: Knowledge
) -> None:
    mirror = "<h1>Exosomes</h1><h2>What our exosome therapy treats</h2><ul>{}</ul>"
    items = "".join(f"<li>{item}</li>" for item in DISEASES)
    sites = {
        "kelda": mirror.format(items),
        "luma": mirror.format(items),
        "orla": "<h1>Exosomes</h1><h2>What our exosome therapy treats</h2><ul><li>Arthritis</li><li>Gout</li></ul>",
        "vale": "<h1>Exosomes</h1><h2>Our exosome therapy treats</h2><ul><li>Arthritis</li></ul>",
    }
    config = Config(data=tmp_path / "var", sites=tuple(Site(url=f"http://{site}.example/") for site in sites))
    for number, (site, html) in enumerate(sites.items()):
        for again in (0, 1):  # the second look finds the page as it was
            at = NOW + timedelta(hours=number, days=again)
            run = RunMaker(page_card(f"site_{site}_example"), at, config.runs_folder)
            run.page(f"http://{site}.example/", html)
            assert take_in(sqlite_engine, run.write(), config, knowledge).state == "taken_in"
    with reading(sqlite_engine) as session:
        rows = session.exec(
            select(Page.host, Claim.id).join(Page, col(Page.id) == Claim.page_id).where(Claim.quote == "Arthritis")
        ).all()
    found = {host: queries.reach(sqlite_engine, [claim or 0])[claim or 0] for host, claim in rows}

    assert found == {"kelda.example": 2, "luma.example": 2, "orla.example": 1, "vale.example": 1}


def test_hosts_of_one_site_are_one_site_and_ended_claims_count_no_more(sqlite_engine: Engine) -> None:
    market = Market(sqlite_engine)
    one, _, ended = market.put(("www.kelda.example", HAIR), ("shop.kelda.example", HAIR), ("luma.example", HAIR))
    market.change(ended, state=ClaimState.WITHDRAWN)

    assert queries.reach(sqlite_engine, [one, ended]) == {one: 1, ended: 2}
    assert [(each.claim_id, each.state) for each in queries.cluster_of(sqlite_engine, one)] == [(ended, "withdrawn")]


def test_a_reworded_claim_leaves_and_the_rest_falls_apart_without_it(sqlite_engine: Engine) -> None:
    """The middle wording alone held the first and the last together."""
    first, last = form_of(HAIR), form_of(HAIR_NEARER)
    assert not first.is_near(last)
    assert first.is_near(form_of(HAIR_NEAR))
    assert last.is_near(form_of(HAIR_NEAR))
    market = Market(sqlite_engine)
    one, other = market.put(("a.example", HAIR), ("b.example", HAIR_NEARER))
    assert market.clusters() == set()
    (middle,) = market.put(("c.example", HAIR_NEAR))
    assert market.clusters() == {frozenset({one, middle, other})}

    market.change(middle, quote=JOINTS)

    assert market.clusters() == set()
    with reading(sqlite_engine) as session:
        held = {row.id for row in session.exec(select(ClusterWording))}
        assert len(held) == 3
        assert {row.wording_id for row in session.exec(select(ClusterBand))} == held


def test_the_order_of_reading_does_not_matter(tmp_path: Path) -> None:
    shaken = random.Random(3)
    texts = [HAIR, HAIR_NEAR, HAIR_NEARER, JOINTS, JAPANESE, JAPANESE_NEAR, ARABIC, f"{JOINTS} Ask us.", HAIR]
    claims = [(f"s{number}.example", text) for number, text in enumerate(texts)]
    told = set()
    for number in range(4):
        made = open_engine(f"sqlite:///{tmp_path / f'{number}.db'}")
        upgrade(made)
        market = Market(made)
        market.put(*claims)
        hosts = {claim: host for claim, (host, _) in zip(market.ids, claims, strict=True)}
        told.add(frozenset(frozenset(hosts[claim] for claim in cluster) for cluster in market.clusters()))
        made.dispose()
        shaken.shuffle(claims)

    assert told == {
        frozenset(
            {
                frozenset({"s0.example", "s1.example", "s2.example", "s8.example"}),
                frozenset({"s3.example", "s7.example"}),
                frozenset({"s4.example", "s5.example"}),
            }
        )
    }


_WORDS = "hair cell grows the serum wakes skin pain ends of joint 再生 関節 шкіру heals deep fast now often".split()


@given(st.lists(st.lists(st.sampled_from(_WORDS), min_size=5, max_size=14).map(" ".join), max_size=12), st.randoms())
def test_components_are_a_partition_that_no_order_changes(quotes: list[str], shaken: random.Random) -> None:
    forms = {number: form_of(quote) for number, quote in enumerate(quotes)}
    found = components(forms)

    assert sorted(key for keys in found for key in keys) == list(forms)
    turned = list(forms.items())
    shaken.shuffle(turned)
    assert set(components(dict(turned))) == set(found)
    alike = {form: {key for key in forms if forms[key] == form} for form in forms.values()}
    assert all(any(same <= keys for keys in found) for same in alike.values())


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_has_a_form(quote: str, name: str) -> None:
    form = form_of(quote, [name])

    assert form == form_of(quote, [name])
    assert len(form.bands()) in range(1, 41)
    assert not form.words or form.is_near(form)


def test_the_stored_keys_stay_as_they_are() -> None:
    """Keys in databases were made by this very function: another result would find none of them."""
    assert sorted(form_of(HAIR).bands())[:2] == [-9202483904966064254, -8184716907567142638]


def test_a_run_that_is_taken_in_brings_its_claims_into_the_clusters(
    sqlite_engine: Engine, tmp_path: Path, knowledge: Knowledge
) -> None:
    quote = "Our exosome therapy treats arthritis in older adults within a few weeks."
    config = Config(data=tmp_path / "var", sites=(Site(url="http://kelda.example/"), Site(url="http://luma.example/")))
    for number, site in enumerate(("kelda", "luma")):
        run = RunMaker(page_card(f"site_{site}_example"), NOW + timedelta(hours=number), config.runs_folder)
        run.page(f"http://{site}.example/", f"<h1>Exosomes</h1><p>{quote}</p>")
        assert take_in(sqlite_engine, run.write(), config, knowledge).state == "taken_in"
    with reading(sqlite_engine) as session:
        claims = session.exec(select(Claim.id).where(col(Claim.quote).contains("treats arthritis"))).all()

    assert len(claims) == 2
    assert set(queries.reach(sqlite_engine, [claim or 0 for claim in claims]).values()) == {2}
