"""Full-text search, on each database."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from monitor import search as searching
from monitor.migrations import upgrade
from monitor.search import BOUND, SearchPage, fold_query, index, mark, parse, search
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import SearchDocument

SEEN = datetime(2026, 11, 16, tzinfo=UTC)


def put(engine: Engine, kind: str, object_id: int, title: str, body: str = "", **more: object) -> None:
    with transaction(engine) as session:
        index(session, kind, object_id, title=title, body=body, **({"seen_at": SEEN} | more))  # type: ignore[arg-type]


def ids(page: SearchPage) -> list[tuple[str, int]]:
    return [(hit.kind, hit.object_id) for hit in page.hits]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    put(engine, "claim", 1, "Treats arthritis", "Our éxosome serum treats arthritis", jurisdictions=["us", "uk"],
        severity="High")  # fmt: skip
    put(engine, "claim", 2, "Hair", "may help regrow hair", jurisdictions=["us"], severity="Medium")
    put(engine, "notice", 1, "Letter to Glow Labs", "The firm sells exosomes for hair.", jurisdictions=["uk"])
    put(engine, "product", 7, "Glow Serum", "glow.example")
    put(engine, "claim", 3, "줄기세포", "줄기세포는 관절염 치료", jurisdictions=["kr"], severity="High")
    put(engine, "claim", 4, "幹細胞", "幹細胞を再生します", jurisdictions=["jp"], severity="High")
    return engine


def test_every_word_must_be_met(filled: Engine) -> None:
    assert ids(search(filled, "serum arthritis")) == [("claim", 1)]
    assert ids(search(filled, "serum hair")) == []


def test_a_phrase_keeps_its_words_together(filled: Engine) -> None:
    assert ids(search(filled, '"regrow hair"')) == [("claim", 2)]
    assert ids(search(filled, '"hair regrow"')) == []


def test_a_beginning_meets_every_ending(filled: Engine) -> None:
    assert set(ids(search(filled, "exosom*"))) == {("claim", 1), ("notice", 1)}
    assert ids(search(filled, "exosom")) == []


@pytest.mark.parametrize("query", ["exosome", "EXOSOME", "éxosome", "e\u200bxosome", "ехоsоmе", "ｅｘｏｓｏｍｅ"])
def test_look_alikes_find_each_other(filled: Engine, query: str) -> None:
    assert ids(search(filled, query)) == [("claim", 1)]


def test_a_disguised_text_is_found_by_its_plain_words(engine: Engine) -> None:
    put(engine, "claim", 1, "ехо\u200bsоmе сures", "nothing else")
    page = search(engine, "exosome")
    assert ids(page) == [("claim", 1)]
    assert [piece.text for piece in page.hits[0].title if piece.marked] == ["ехо\u200bsоmе"]


def test_scripts_without_spaces_are_searched_within(filled: Engine) -> None:
    assert ids(search(filled, "줄기세포")) == [("claim", 3)]
    assert ids(search(filled, "再生")) == [("claim", 4)]
    assert ids(search(filled, "生再")) == []


def test_what_was_met_is_marked(filled: Engine) -> None:
    hit = search(filled, "serum arth*").hits[0]
    assert [piece.text for piece in hit.snippet if piece.marked] == ["serum", "arthritis"]
    assert "".join(piece.text for piece in hit.snippet) == "Our éxosome serum treats arthritis"


def test_the_snippet_is_cut_around_the_first_word_met(engine: Engine) -> None:
    put(engine, "notice", 1, "Long", "filler words " * 2000 + "the éxosome stands here " + "more filler " * 2000)
    put(engine, "notice", 2, "Long", "filler words " * 200 + "the serum stands here " + "more filler " * 2000)
    for query, word in (("exosome", "éxosome"), ("serum", "serum")):
        hit = search(engine, query).hits[0]
        shown = "".join(piece.text for piece in hit.snippet)
        assert len(shown) < 300
        if word == "serum":
            assert [piece.text for piece in hit.snippet if piece.marked] == [word]
            assert shown.startswith("…")
            assert shown.endswith("…")


def test_filters_narrow(filled: Engine) -> None:
    assert ids(search(filled, "hair", kind="notice")) == [("notice", 1)]
    assert ids(search(filled, "hair", jurisdiction="us")) == [("claim", 2)]
    assert ids(search(filled, "", severity="High", jurisdiction="uk")) == [("claim", 1)]
    assert ids(search(filled, "hair", since=SEEN + timedelta(days=1))) == []
    assert search(filled, "hair", since=SEEN).total == 2
    assert search(filled, "hair", jurisdiction="u").total == 0, "a code is met whole"
    assert search(filled, "hair", jurisdiction="us' OR 1=1 --").total == 0


def test_an_empty_query_meets_everything_and_a_wordless_one_nothing(filled: Engine) -> None:
    assert search(filled, "").total == 6
    assert search(filled, "?!").total == 0


def test_facets_count_all_matches(filled: Engine) -> None:
    page = search(filled, "hair", limit=1)
    assert len(page.hits) == 1
    assert page.total == 2
    assert page.facets["kind"] == (("claim", 1), ("notice", 1))
    assert page.facets["jurisdiction"] == (("uk", 1), ("us", 1))
    assert page.facets["severity"] == (("Medium", 1),)


def test_new_words_take_the_place_of_the_old(filled: Engine) -> None:
    put(filled, "claim", 2, "Nails", "stronger nails", jurisdictions=["ca"], severity="Low")
    assert ids(search(filled, "regrow")) == []
    assert ids(search(filled, "nails", jurisdiction="ca", severity="Low")) == [("claim", 2)]
    assert ids(search(filled, "nails", jurisdiction="us")) == []


def test_what_is_deleted_is_not_found(filled: Engine) -> None:
    with transaction(filled) as session:
        session.delete(session.get_one(SearchDocument, 2))
    assert ids(search(filled, "regrow")) == []
    assert search(filled, "hair").total == 1


def test_what_is_rolled_back_is_not_found(filled: Engine) -> None:
    def half() -> None:
        with transaction(filled) as session:
            index(session, "claim", 99, title="halfway", body="", seen_at=SEEN)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        half()
    assert search(filled, "halfway").total == 0


def test_the_best_come_first(engine: Engine) -> None:
    put(engine, "notice", 1, "One", "serum " + "other words entirely " * 60)
    put(engine, "notice", 2, "Two", "serum serum serum")
    assert ids(search(engine, "serum"))[0] == ("notice", 2)


def test_pages_follow_each_other(engine: Engine) -> None:
    for number in range(5):
        put(engine, "claim", number, f"serum {number}")
    first, second = search(engine, "serum", limit=3), search(engine, "serum", limit=3, offset=3)
    assert len(first.hits) == 3
    assert set(ids(first)) | set(ids(second)) == {("claim", number) for number in range(5)}


def test_a_very_common_word_is_bounded(engine: Engine) -> None:
    count = BOUND + 200
    with transaction(engine) as session:
        session.add_all(
            SearchDocument(
                kind="claim", object_id=number, title="Serum", body="serum", folded="serum",
                jurisdictions=",us," if number % 400 else ",us,uk,", severity="Low", seen_at=SEEN,
            )
            for number in range(count)
        )  # fmt: skip
    page = search(engine, "serum")
    assert (page.total, page.bounded, page.total_text) == (BOUND, True, "1,000+")
    assert ids(page)[0] == ("claim", count - 1), "the one recorded last"
    narrowed = search(engine, "serum", jurisdiction="uk")
    assert (narrowed.total, narrowed.bounded) == (3, False), "a filter looks at all of them"


def test_installing_fills_the_index_from_what_is_there(tmp_path: Path) -> None:
    opened = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with opened.begin() as connection:
        SearchDocument.__table__.create(connection)  # type: ignore[attr-defined]
    put(opened, "claim", 1, "serum")
    with opened.begin() as connection:
        connection.execute(text("CREATE TABLE claim (id INTEGER, category TEXT)"))
        searching.install(connection)
    assert ids(search(opened, "serum")) == [("claim", 1)]
    opened.dispose()


def test_parsing() -> None:
    assert [(term.words, term.prefix) for term in parse('Über "Stem  CELL" regen* a* "open')] == [
        (("uber",), False),
        (("stem", "cell"), False),
        (("regen",), True),
        (("a",), False),
        (("open",), False),
    ]
    assert parse(' - * "" \'') == ()
    assert sum(len(term.words) for term in parse("word " * 500)) <= 32


def test_marks_are_in_the_text_as_it_was_given() -> None:
    pieces = mark("Éxosomes & <b>SERUM</b>", parse("exosomes serum"))
    assert [piece.text for piece in pieces if piece.marked] == ["Éxosomes", "SERUM"]
    assert "".join(piece.text for piece in pieces) == "Éxosomes & <b>SERUM</b>"


@pytest.fixture(scope="module")
def opened() -> Iterator[Engine]:
    """One SQLite database for many examples."""
    with tempfile.TemporaryDirectory() as folder:
        made = open_engine(f"sqlite:///{folder}/x.db")
        upgrade(made)
        put(made, "claim", 1, "Treats arthritis", "Our exosome serum", jurisdictions=["us"], severity="High")
        yield made
        made.dispose()


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(alphabet='"*()^:+-{}ANDORTNE{} \\\'&|!<>\0\u200b%_;', max_size=40),
    st.lists(
        st.sampled_from(["AND", "OR", "NOT", "NEAR(", "NEAR", '"', "*", "folded:", "tags:", "kclaim", "^", "'", ":*"])
    ).map(" ".join),
)  # fmt: skip


@given(query=HOSTILE, jurisdiction=st.text(max_size=4), kind=st.text(max_size=8), category=st.text(max_size=8))
@settings(max_examples=150, deadline=None)
def test_no_query_raises(opened: Engine, query: str, jurisdiction: str, kind: str, category: str) -> None:
    assert search(opened, query).total in (0, 1)
    assert search(opened, query, jurisdiction=jurisdiction, kind=kind, category=category).total in (0, 1)


@given(query=HOSTILE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_raises_on_either(filled: Engine, query: str) -> None:
    assert search(filled, query).total <= 6


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
@settings(deadline=None)
def test_folding_is_stable_and_marks_lose_nothing(original: str) -> None:
    folded = fold_query(original)
    assert all(word for word in folded.split(" ")) or folded == ""
    assert "".join(piece.text for piece in mark(original, parse(original))) == original
