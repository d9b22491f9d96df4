"""A list that was read as a whole is remembered by what its server said of it; one that was not is read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from monitor.intake.runs import known_items
from monitor.records import LIST_KEY, Expectation, ListState, Problem, Range, RunRequest
from tests.monitor.registered import Registry, registry
from tests.runs import RunMaker, notice_card

CARD = notice_card("us_test_list", expect=Expectation(listed=Range(min=1)))
ADDRESS = "http://letters.example/list"
STATE = ListState(asked="terms", etag='"one"', last_modified="Mon, 16 Nov 2026 06:00:00 GMT")


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    return registry(engine, tmp_path)


def read(desk: Registry, **changes: Any) -> RunMaker:
    maker = desk.maker(CARD, **{**changes, "seen": dict(changes.get("seen", {}))})
    maker.notice("a", "Kelda Labs")
    maker.lists = {ADDRESS: STATE}
    return maker


def held(desk: Registry) -> dict[str, tuple[str, str, str]]:
    items = known_items(desk.engine, CARD.id)
    return {item.key: (item.digest, item.etag, item.last_modified) for item in items if item.key.startswith(LIST_KEY)}


def test_a_whole_list_is_known_with_what_was_asked_of_it(desk: Registry) -> None:
    desk.take(read(desk))
    assert held(desk) == {f"{LIST_KEY}{ADDRESS}": ("terms", '"one"', "Mon, 16 Nov 2026 06:00:00 GMT")}


@pytest.mark.parametrize(
    "changes",
    [
        {"request": RunRequest(limit=1)},
        {"finish_reason": "limit_requests"},
        {"problems": [Problem(kind="limit_reached", message="stopped")]},
        {"seen": {"b": ""}},
    ],
    ids=["bounded", "ended early", "reached a limit", "owes an entry"],
)
def test_a_list_of_which_something_is_unread_is_not(desk: Registry, changes: dict[str, Any]) -> None:
    maker = read(desk, **changes)
    assert desk.take(maker).state == "taken_in"
    assert held(desk) == {}


def test_an_unchanged_list_is_a_good_reading_though_nothing_was_listed(desk: Registry) -> None:
    desk.take(read(desk))
    again = desk.maker(CARD)
    again.unchanged, again.lists = 1, {ADDRESS: STATE}
    taken = desk.take(again)

    assert (taken.state, taken.reasons) == ("taken_in", ())
    assert len(held(desk)) == 1


def test_a_list_that_says_nothing_is_still_blind_where_it_is_never_empty(desk: Registry) -> None:
    desk.take(read(desk))
    assert [reason.code for reason in desk.take(desk.maker(CARD)).reasons] == ["empty"]
