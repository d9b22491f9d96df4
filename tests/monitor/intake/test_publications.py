"""Papers: one paper in two indexes is one publication; a retraction is told once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from monitor import queries
from monitor.search import search
from monitor.tables.db import reading
from monitor.tables.registers import Publication, PublicationPlace, RecordRevision
from tests.monitor.registered import Registry, card_of, paper, registry

MED = card_of("us_test_med", "publication")
EUROPE = card_of("eu_test_pmc", "publication", jurisdiction="eu")
DOI, PMID = "doi:10.5555/kelda.1", "pmid:90000001"


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    found = registry(engine, tmp_path)
    found.baseline(MED, EUROPE)
    return found


def held(desk: Registry) -> list[Publication]:
    with reading(desk.engine) as session:
        return list(session.exec(select(Publication).order_by(col(Publication.id))))


def test_the_same_doi_in_two_indexes_is_one_publication(desk: Registry) -> None:
    for card in (MED, EUROPE):
        maker = desk.maker(card)
        paper(maker, DOI)
        desk.take(maker)

    [only] = held(desk)
    assert desk.events() == ["publication_indexed"]
    with reading(desk.engine) as session:
        places = session.exec(select(PublicationPlace).order_by(PublicationPlace.source_id)).all()
    assert [(place.source_id, place.publication_id) for place in places] == [
        ("eu_test_pmc", only.id),
        ("us_test_med", only.id),
    ]
    shown = queries.registered(desk.engine, "publication", only.id or 0)
    assert shown is not None
    assert [place.source_id for place in shown.places] == ["eu_test_pmc", "us_test_med"]


def test_a_paper_is_known_by_any_of_its_names(desk: Registry) -> None:
    """An index may have the number before the doi, and give the doi in another case."""
    first = desk.maker(MED)
    paper(first, PMID)
    desk.take(first)
    second = desk.maker(EUROPE)
    paper(second, DOI, references=("DOI:10.5555/KELDA.1", PMID, "NCT09000001"))
    desk.take(second)
    third = desk.maker(MED)
    paper(third, DOI)
    desk.take(third)

    [only] = held(desk)
    assert only.key == PMID
    assert desk.events() == ["publication_indexed"]


def test_two_papers_that_report_one_trial_are_two(desk: Registry) -> None:
    maker = desk.maker(MED)
    paper(maker, DOI, references=("NCT09000001",))
    paper(maker, "doi:10.5555/kelda.2", references=("NCT09000001",))
    desk.take(maker)

    assert len(held(desk)) == 2


def test_indexes_that_differ_in_a_comma_take_no_turns(desk: Registry) -> None:
    for _ in range(3):
        for card, title in ((MED, "Exosomes of invented cells"), (EUROPE, "Exosomes of invented cells.")):
            maker = desk.maker(card)
            paper(maker, DOI, title=title)
            desk.take(maker)

    assert held(desk)[0].title == "Exosomes of invented cells"
    assert desk.events() == ["publication_indexed"]
    with reading(desk.engine) as session:
        assert len(session.exec(select(RecordRevision)).all()) == 2


def test_a_retraction_is_told_once_whoever_says_it_first_and_is_not_taken_back(desk: Registry) -> None:
    for card, retracted in ((MED, False), (EUROPE, True), (MED, False), (MED, True)):
        maker = desk.maker(card)
        paper(maker, DOI, retracted=retracted, types=("Retracted Publication",) if retracted else ("Review",))
        desk.take(maker)

    assert desk.events() == ["publication_indexed", "publication_retracted"]
    assert held(desk)[0].retracted
    assert desk.details("publication_retracted")[0]["index"] == "eu_test_pmc"


def test_ids_that_no_index_shares_are_told_apart_by_their_source(desk: Registry) -> None:
    for card in (MED, EUROPE):
        maker = desk.maker(card)
        paper(maker, "17")
        desk.take(maker)

    assert [paper.key for paper in held(desk)] == ["us_test_med:17", "eu_test_pmc:17"]


def test_it_is_found_by_its_words_and_its_doi(desk: Registry) -> None:
    maker = desk.maker(MED)
    paper(maker, DOI)
    desk.take(maker)

    assert search(desk.engine, "invented cells", kind="publication").total == 1
    assert search(desk.engine, "10.5555/kelda.1").total == 1
