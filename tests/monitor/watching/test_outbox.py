"""The outbox: once for each recipient, one sender at a time, nothing lost and nothing doubled when a sender dies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from monitor import queries
from monitor.config import Config, Mail, Recipient, Watchlist
from monitor.watching import outbox
from monitor.watching.outbox import FIRST_WAIT, LEASE, LONGEST_WAIT, MOST_ATTEMPTS, Claimed, Letter, LostClaimError

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
ANNA = "anna@reader.example"
LETTER = Letter(ANNA, "mail", "digest", "digest-2026-W47", "Week 47", "Subject: Week 47\r\n\r\nText")


def state(engine: Engine, number: int = 0) -> str:
    return queries.letters(engine)[number].state


def claimed(engine: Engine, now: datetime = NOW) -> Claimed:
    found = outbox.claim(engine, now=now)
    assert found is not None
    return found


def test_the_same_letter_is_put_in_once(engine: Engine) -> None:
    assert outbox.put(engine, LETTER, now=NOW)
    assert not outbox.put(engine, replace(LETTER, payload="another text"), now=NOW + timedelta(days=1))
    assert outbox.put(engine, replace(LETTER, recipient="ben@reader.example"), now=NOW)
    assert outbox.is_in(engine, ANNA, LETTER.key)
    assert len(queries.letters(engine)) == 2


def test_a_letter_that_was_sent_is_not_sent_again(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    letter = claimed(sqlite_engine)
    assert (letter.recipient, letter.payload, letter.attempts) == (ANNA, LETTER.payload, 1)
    outbox.hand_over(sqlite_engine, letter, now=NOW)
    outbox.note_sent(sqlite_engine, letter, now=NOW)
    assert outbox.claim(sqlite_engine, now=NOW + timedelta(days=30)) is None
    assert outbox.recover(sqlite_engine, now=NOW + timedelta(days=30)) == 0
    assert outbox.retry(sqlite_engine, letter.id, now=NOW) == "it is sent"
    assert [whole.payload for whole in queries.waiting_letters(sqlite_engine)] == []


def test_what_one_sender_has_no_other_gets(engine: Engine) -> None:
    for number in range(40):
        outbox.put(engine, replace(LETTER, recipient=f"r{number}@reader.example"), now=NOW)
    got: list[list[int]] = [[], [], []]
    together = Barrier(3)

    def work(mine: list[int]) -> None:
        together.wait()
        while letter := outbox.claim(engine, now=NOW):
            mine.append(letter.id)
            outbox.hand_over(engine, letter, now=NOW)
            outbox.note_sent(engine, letter, now=NOW)

    threads = [Thread(target=work, args=(mine,)) for mine in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handed = [letter for mine in got for letter in mine]
    assert len(handed) == 40
    assert len(set(handed)) == 40


def test_two_processes_that_write_the_same_letter_write_one(engine: Engine) -> None:
    together, wrote = Barrier(2), []

    def work() -> None:
        together.wait()
        wrote.append(outbox.put(engine, LETTER, now=NOW))

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrote) == [False, True]
    assert len(queries.letters(engine)) == 1


def test_a_sender_that_died_before_it_handed_over_has_sent_nothing(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    first = claimed(sqlite_engine)
    assert outbox.recover(sqlite_engine, now=NOW + LEASE) == 0
    assert outbox.claim(sqlite_engine, now=NOW + LEASE) is None
    later = NOW + LEASE + timedelta(seconds=1)
    assert outbox.recover(sqlite_engine, now=later) == 1
    second = claimed(sqlite_engine, later)
    assert (second.id, second.reference) == (first.id, first.reference)
    with pytest.raises(LostClaimError):
        outbox.hand_over(sqlite_engine, first, now=later)


@pytest.mark.parametrize(("way", "times"), [("mail", 2), ("webhook", 2), ("chat", 1)])
def test_a_letter_in_doubt_goes_once_more_only_where_the_receiver_can_tell(
    sqlite_engine: Engine, way: str, times: int
) -> None:
    outbox.put(sqlite_engine, replace(LETTER, way=way), now=NOW)
    moment, references = NOW, []
    while letter := outbox.claim(sqlite_engine, now=moment):
        references.append(letter.reference)
        outbox.hand_over(sqlite_engine, letter, now=moment)
        moment += LEASE + timedelta(seconds=1)
        assert outbox.recover(sqlite_engine, now=moment) == 1  # it was killed
        moment += LONGEST_WAIT
    assert len(references) == times
    assert len(set(references)) == 1
    (row,) = queries.letters(sqlite_engine)
    assert row.state == "failed"
    assert f"exowatch outbox retry {row.id}" in row.error
    assert outbox.retry(sqlite_engine, row.id, now=moment) == ""
    assert claimed(sqlite_engine, moment).reference == references[0]


def test_an_answer_that_never_came_is_the_same_doubt(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    letter = claimed(sqlite_engine)
    outbox.hand_over(sqlite_engine, letter, now=NOW)
    assert outbox.note_in_doubt(sqlite_engine, letter, "no answer", now=NOW)
    assert state(sqlite_engine) == "waiting"
    again = claimed(sqlite_engine, NOW + LONGEST_WAIT)
    outbox.hand_over(sqlite_engine, again, now=NOW)
    assert not outbox.note_in_doubt(sqlite_engine, again, "no answer", now=NOW)
    assert state(sqlite_engine) == "failed"
    with pytest.raises(LostClaimError):
        outbox.note_in_doubt(sqlite_engine, again, "no answer", now=NOW)


def test_a_second_sender_that_died_before_its_mark_adds_no_doubt(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    first = claimed(sqlite_engine)
    outbox.hand_over(sqlite_engine, first, now=NOW)
    outbox.note_in_doubt(sqlite_engine, first, "no answer", now=NOW)
    moment = NOW + LONGEST_WAIT
    claimed(sqlite_engine, moment)
    moment += LEASE + timedelta(seconds=1)
    assert outbox.recover(sqlite_engine, now=moment) == 1
    assert state(sqlite_engine) == "waiting"
    assert claimed(sqlite_engine, moment).id == first.id


def test_who_lost_a_letter_cannot_say_what_became_of_it(engine: Engine) -> None:
    outbox.put(engine, LETTER, now=NOW)
    slow = claimed(engine)
    later = NOW + LEASE + timedelta(seconds=1)
    outbox.recover(engine, now=later)
    quick = claimed(engine, later)
    with pytest.raises(LostClaimError):
        outbox.note_failed(engine, slow, "refused")
    outbox.note_sent(engine, quick, now=later)
    assert state(engine) == "sent"


def test_a_letter_that_is_put_off_waits_longer_each_time_and_is_given_up(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    moment, waited = NOW, []
    while letter := outbox.claim(sqlite_engine, now=moment):
        outbox.note_later(sqlite_engine, letter, "451 come back later", now=moment)
        (row,) = queries.letters(sqlite_engine)
        if row.next_attempt is not None:
            assert outbox.claim(sqlite_engine, now=row.next_attempt - timedelta(seconds=1)) is None
            waited.append(row.next_attempt - moment)
            moment = row.next_attempt
    assert len(waited) == MOST_ATTEMPTS - 1
    assert timedelta(minutes=4) <= waited[0] <= timedelta(minutes=6)
    assert timedelta(days=4) <= sum(waited, timedelta(0)) <= timedelta(days=6)
    assert state(sqlite_engine) == "failed"
    assert queries.letters(sqlite_engine)[0].error == f"451 come back later; given up after {MOST_ATTEMPTS} attempts"


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_waits_are_bounded_and_always_the_same(letter: int, attempts: int) -> None:
    wait = outbox.wait_before(letter, attempts)
    assert wait == outbox.wait_before(letter, attempts)
    assert FIRST_WAIT * 0.8 <= wait <= LONGEST_WAIT * 1.2


def test_a_receiver_that_asks_for_patience_gets_it_within_bounds(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    outbox.note_later(sqlite_engine, claimed(sqlite_engine), "busy", now=NOW, at_least=timedelta(days=900))
    assert queries.letters(sqlite_engine)[0].next_attempt == NOW + LONGEST_WAIT


def test_a_closed_way_lets_everything_on_it_wait(engine: Engine) -> None:
    outbox.put(engine, LETTER, now=NOW)
    outbox.put(engine, replace(LETTER, recipient="team", way="chat"), now=NOW)
    outbox.postpone(engine, "mail", now=NOW)
    assert claimed(engine).way == "chat"
    assert outbox.claim(engine, now=NOW) is None
    assert claimed(engine, NOW + FIRST_WAIT).way == "mail"
    outbox.put(engine, replace(LETTER, key="digest-2026-W48"), now=NOW)
    assert outbox.claim(engine, now=NOW, without={"mail"}) is None


# --- who wants no more


def test_who_wants_no_more_is_sent_no_more(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    outbox.suppress(sqlite_engine, "Anna@Reader.example", "digest", cause="unsubscribed", now=NOW)
    outbox.suppress(sqlite_engine, ANNA, "digest", cause="by hand", now=NOW)
    assert outbox.claim(sqlite_engine, now=NOW) is None
    assert outbox.put(sqlite_engine, replace(LETTER, key="digest-2026-W48"), now=NOW)
    assert [row.state for row in queries.letters(sqlite_engine)] == ["suppressed", "suppressed"]
    assert {row.error for row in queries.letters(sqlite_engine)} == {"unsubscribed on 2026-11-23"}
    assert [(row.address, row.scope, row.cause) for row in queries.suppressions(sqlite_engine)] == [
        (ANNA, "digest", "unsubscribed")
    ]
    outbox.put(sqlite_engine, replace(LETTER, kind="alert", key="alert-1"), now=NOW)
    assert claimed(sqlite_engine).kind == "alert"


def test_only_the_operator_lets_an_address_back_and_nothing_old_follows(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    outbox.suppress(sqlite_engine, ANNA, "all", cause="bounced", reason="550 5.1.1 no such user", now=NOW)
    number = queries.letters(sqlite_engine)[0].id
    why = "bounced on 2026-11-23: 550 5.1.1 no such user"
    assert outbox.retry(sqlite_engine, number, now=NOW) == f"{why}; exowatch outbox unsuppress {ANNA}"
    assert outbox.unsuppress(sqlite_engine, ANNA) == 1
    assert outbox.unsuppress(sqlite_engine, ANNA) == 0
    assert outbox.claim(sqlite_engine, now=NOW) is None
    assert outbox.retry(sqlite_engine, number, now=NOW) == ""
    assert claimed(sqlite_engine).id == number
    assert outbox.retry(sqlite_engine, 4711, now=NOW) == "there is no such letter"


# --- recipients and lists that are gone


def config(*lists: Watchlist, recipients: tuple[str, ...] = (ANNA,)) -> Config:
    return Config(
        mail=Mail(sender="exo@watch.example"),
        recipients=tuple(Recipient(address=address) for address in recipients),
        watchlists=lists,
    )


def test_a_recipient_that_was_removed_gets_nothing_more(sqlite_engine: Engine) -> None:
    outbox.put(sqlite_engine, LETTER, now=NOW)
    assert outbox.withdraw(sqlite_engine, config()) == 0
    assert outbox.withdraw(sqlite_engine, config(recipients=("ben@reader.example",))) == 1
    assert outbox.claim(sqlite_engine, now=NOW) is None
    assert queries.letters(sqlite_engine)[0].error == f"{ANNA} is no longer in the configuration"


def test_a_list_that_was_deleted_sends_nothing_more(sqlite_engine: Engine) -> None:
    kept = Watchlist(name="Kept", terms=("x",), recipients=(ANNA,))
    gone = replace(LETTER, kind="alert", key="alert-1", watchlists=("Kept", "Gone"))
    outbox.put(sqlite_engine, gone, now=NOW)
    outbox.put(sqlite_engine, replace(LETTER, kind="alert", key="alert-2", watchlists=("Kept",)), now=NOW)
    assert outbox.withdraw(sqlite_engine, config(kept)) == 1
    assert claimed(sqlite_engine).id == queries.letters(sqlite_engine)[0].id
    assert outbox.claim(sqlite_engine, now=NOW) is None
    assert outbox.withdraw(sqlite_engine, config(kept)) == 0


def test_how_the_outbox_stands(engine: Engine) -> None:
    outbox.put(engine, LETTER, now=NOW)
    outbox.put(engine, replace(LETTER, recipient="ben@reader.example"), now=NOW)
    outbox.put(engine, replace(LETTER, recipient="team", way="chat"), now=NOW)
    outbox.note_failed(engine, claimed(engine), "550 no")
    outbox.note_later(engine, claimed(engine), "451 later", now=NOW)
    standing = queries.outbox_standing(engine)
    assert standing.counts == {"failed": 1, "waiting": 2}
    assert standing.waiting == 2
    assert [(row.recipient_masked, row.error) for row in standing.failed] == [("a…@reader.example", "550 no")]
    assert [(row.recipient, row.attempts) for row in standing.delayed] == [("ben@reader.example", 1)]
    assert queries.letters(engine, states=("failed",)) == standing.failed
    assert queries.letter_of(engine, standing.failed[0].message_id) == (ANNA, "digest")
    assert queries.letter_of(engine, "0" * 32) is None
