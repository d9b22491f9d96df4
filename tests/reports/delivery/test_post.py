"""The post from end to end: what happened reaches who asked for it, once, whatever breaks on the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor import queries
from monitor.config import Channel, Config, DigestChoice, Mail, Recipient, Rehearsal, Watchlist, Webhook
from monitor.tables.db import transaction
from monitor.tables.models import Event, WatchMatch
from monitor.watching import outbox, subscriptions
from monitor.watching.outbox import LEASE, LONGEST_WAIT, Letter
from reports.__main__ import main
from reports.delivery.post import Posted, Round, trial
from tests.loopback import Reply, loopback
from tests.reports import factory
from tests.reports.delivery.mailserver import DROP, MailServer, mail_server
from tests.reports.delivery.test_ways import APPRISE, SECRET
from tests.reports.two_weeks import two_weeks

ANNA, BEN, CEM = "anna@reader.example", "ben@reader.example", "cem@reader.example"
SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
CLOCK = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def _server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(_server: MailServer) -> MailServer:
    _server.forget()
    return _server


@dataclass
class Office:
    """A filled database, a configuration and a mail server. `run` is one round at a moment."""

    engine: Engine
    config: Config
    server: MailServer
    ids: dict[str, int]

    def settle(self, **changes: object) -> None:
        """Change the configuration, and let it be noted who is subscribed."""
        self.config = self.config.model_copy(update=changes)
        subscriptions.note(self.engine, self.config, now=SUNDAY)

    def run(self, now: datetime = MONDAY, clock: datetime = CLOCK, week: str = "", **environment: str) -> Posted:
        return self.round(now, clock, **environment).run(week)

    def round(self, now: datetime = MONDAY, clock: datetime = CLOCK, **environment: str) -> Round:
        return Round(self.engine, self.config, now, factory.law, clock=lambda: clock, environment=environment)

    def states(self) -> dict[str, str]:
        return {letter.recipient: letter.state for letter in reversed(queries.letters(self.engine))}

    def hit(self, watchlist: str, kind: str, at: datetime) -> int:
        """Let a list meet an event of this kind that is stored."""
        with transaction(self.engine) as session:
            event = session.exec(select(Event).where(Event.kind == kind, Event.baseline == False)).first()  # noqa: E712
            assert event is not None
            why = [{"criterion": "term", "term": "arthritis", "quote": "Arthritis", "start": 7, "end": 16}]
            match = WatchMatch(watchlist=watchlist, event_id=event.id or 0, why=why, matched_at=at)
            session.add(match)
            session.flush()
            return match.id or 0


@pytest.fixture
def office(sqlite_engine: Engine, tmp_path: Path, server: MailServer) -> Office:
    mail = Mail(server="127.0.0.1", port=server.port, security="none", sender="exo@watch.example", timeout_seconds=5)
    config = Config(
        data=tmp_path,
        mail=mail,
        public_site="https://watch.example/exo/",
        digest=DigestChoice(at=time(6, 30)),
        recipients=(Recipient(address=ANNA, name="Anna"),),
    )
    return Office(sqlite_engine, config, server, two_weeks(sqlite_engine))


def test_the_digest_of_the_week_arrives_once_in_each_readers_language_and_time(office: Office) -> None:
    office.settle(
        recipients=(
            Recipient(address=ANNA),
            Recipient(address=BEN, language="de", jurisdictions=("uk",), at=time(9, 0)),
            Recipient(address=CEM, digest=False),
        )
    )
    first = office.run()
    assert (first.outcomes, first.told) == ({"sent": 1}, "1 written, 1 sent")
    assert office.run().told == "nothing was due"
    nine = MONDAY + timedelta(hours=3)
    assert office.run(nine, nine).outcomes == {"sent": 1}
    assert office.run(nine, nine, week="2026-W47").written == 0
    assert [taken.recipient for taken in office.server.taken] == [ANNA, BEN]
    english, german = (taken.mail for taken in office.server.taken)
    assert "2026-W47" in english["Subject"]
    assert english["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, page = (part.get_content() for part in english.iter_parts())
    for part in (text, page):
        assert "https://watch.example/exo/claims/" in part
        assert "treats arthritis" in part
    assert german["Content-Language"] == "de"
    (german_text, german_page) = (part.get_content() for part in german.iter_parts())
    assert '<html lang="de"' in german_page
    assert "Letter to Glow Labs" not in german_text
    # What "the complete digest" leads to is there.
    assert queries.digest(office.engine, english["Archived-At"].rpartition("/")[2].rstrip(">")) is not None
    assert queries.digest(office.engine, german["Archived-At"].rpartition("/")[2].rstrip(">")) is not None


def test_a_digest_in_another_zone_does_not_take_the_place_of_the_sites(office: Office) -> None:
    office.settle(recipients=(Recipient(address=ANNA, timezone="Pacific/Auckland"),))
    monday_there = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    assert office.run(monday_there, monday_there).outcomes == {"sent": 1}
    (taken,) = office.server.taken
    assert "Pacific/Auckland" in taken.mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    stored = json.loads((office.config.digests_folder / "2026-W47.json").read_text())
    assert stored["timezone"] == "UTC"


def test_an_empty_week_is_sent_unless_that_was_turned_off(office: Office) -> None:
    office.settle(recipients=(Recipient(address=ANNA), Recipient(address=BEN, empty=False)))
    quiet = datetime(2026, 10, 12, 6, 30, tzinfo=UTC)
    assert office.run(quiet, week="2026-W41").outcomes == {"sent": 1}
    assert office.states() == {ANNA: "sent", BEN: "suppressed"}
    assert queries.letters(office.engine, states=("suppressed",))[0].error == "nothing was new, and that is not wanted"
    assert office.run(quiet, week="2026-W41").written == 0


def test_empty_weeks_may_be_turned_off_for_all(office: Office) -> None:
    office.settle(recipients=(Recipient(address=ANNA),), digest=DigestChoice(empty="skip"))
    quiet = datetime(2026, 10, 12, 6, 30, tzinfo=UTC)
    assert office.run(quiet, week="2026-W41").outcomes == {}
    assert office.states() == {ANNA: "suppressed"}


def test_an_alert_says_what_why_where_and_what_to_do(office: Office) -> None:
    lists = (
        Watchlist(name="Arthritis", terms=("arthritis",), recipients=(ANNA,)),
        Watchlist(name="Letters & <firms>", names=("Glow",), recipients=(ANNA,)),
    )
    office.settle(recipients=(Recipient(address=ANNA, digest=False),), watchlists=lists)
    office.hit("Arthritis", "claim_reworded", MONDAY)
    office.hit("Letters & <firms>", "claim_reworded", MONDAY)
    office.hit("Letters & <firms>", "notice_published", MONDAY)
    assert office.run().outcomes == {"sent": 1}
    assert office.run().outcomes == {}
    (taken,) = office.server.taken
    mail = taken.mail
    assert mail["Subject"] == "Arthritis, Letters & <firms>: 2 events, 1 of them High"
    text, page = (part.get_content() for part in mail.iter_parts())
    claim = office.ids["arthritis"]
    for part in (text, page):
        assert "treats arthritis in two weeks" in part
        assert "treats arthritis in four weeks" in part
        assert f"https://watch.example/exo/claims/{claim}" in part
        assert f"exowatch review decide {claim} confirm" in part
        assert "https://glow.example/serum" in part
        assert "Drug Act, s. 201(g)" in part
        assert "Letter to Glow Labs" in part
        assert ANNA in part
    assert "Why you are told: Arthritis (term: arthritis)" in text
    assert "Letters &amp; &lt;firms&gt;" in page
    assert "<firms>" not in page


def test_an_alert_that_was_told_is_not_told_when_a_list_is_renamed_or_asked_again(office: Office) -> None:
    first = Watchlist(name="Arthritis", terms=("arthritis",), recipients=(ANNA,))
    office.settle(recipients=(Recipient(address=ANNA, digest=False),), watchlists=(first,))
    office.hit("Arthritis", "claim_reworded", MONDAY)
    office.run()
    office.settle(watchlists=())
    office.settle(watchlists=(first,))
    assert office.run().written == 0
    assert len(office.server.taken) == 1


def test_what_waits_for_a_deleted_list_or_a_removed_recipient_is_not_sent(office: Office) -> None:
    watched = Watchlist(name="Arthritis", terms=("arthritis",), recipients=(ANNA, BEN))
    office.settle(recipients=tuple(Recipient(address=a, digest=False) for a in (ANNA, BEN)), watchlists=(watched,))
    office.server.at_rcpt = {ANNA: ["451 later"], BEN: ["451 later"]}
    office.hit("Arthritis", "claim_reworded", MONDAY)
    assert office.run().outcomes == {"later": 2}
    later = CLOCK + LONGEST_WAIT
    office.settle(recipients=(Recipient(address=ANNA, digest=False),), watchlists=())
    assert office.run(MONDAY, later).outcomes == {}
    assert office.server.taken == []
    assert office.states() == {ANNA: "suppressed", BEN: "suppressed"}


def test_one_reader_that_cannot_be_reached_keeps_no_other_from_their_letter(office: Office) -> None:
    office.settle(recipients=tuple(Recipient(address=address) for address in (ANNA, BEN, CEM)))
    office.server.at_rcpt = {ANNA: ["550 5.1.1 no such user"], BEN: ["451 4.7.1 greylisted"]}
    done = office.run()
    assert (done.outcomes, done.failed) == ({"failed": 1, "later": 1, "sent": 1}, True)
    assert office.states() == {ANNA: "failed", BEN: "waiting", CEM: "sent"}
    assert office.run(MONDAY, CLOCK + LONGEST_WAIT).outcomes == {"sent": 1}
    assert [taken.recipient for taken in office.server.taken] == [CEM, BEN]
    # The address is known to be dead: next week nobody knocks.
    next_week = MONDAY + timedelta(days=7)
    assert office.run(next_week, next_week).outcomes == {"sent": 2}
    assert office.server.seen.count(ANNA) == 1
    (held,) = queries.suppressions(office.engine)
    assert (held.address, held.scope, held.cause, held.reason) == (ANNA, "all", "bounced", "550 5.1.1 no such user")


def test_a_connection_that_breaks_before_the_answer_is_tried_once_more_with_the_same_name(office: Office) -> None:
    office.settle()
    office.server.at_data[ANNA] = [DROP, DROP, DROP]
    assert office.run().outcomes == {"in_doubt": 1}
    again = CLOCK + LONGEST_WAIT
    assert office.run(MONDAY, again).outcomes == {"failed": 1}
    assert office.run(MONDAY, again + LONGEST_WAIT).outcomes == {}
    first, second = office.server.taken
    assert first.raw == second.raw
    assert "ask the recipient" in queries.letters(office.engine)[0].error


def test_a_server_that_is_down_puts_everything_off_and_costs_one_attempt(office: Office) -> None:
    office.settle(recipients=tuple(Recipient(address=address) for address in (ANNA, BEN, CEM)))
    office.server.at_sender = ["550 5.7.1 you are blocked"]
    done = office.run()
    assert done.outcomes == {"later": 1}
    assert done.troubles == ["mail: 550 5.7.1 you are blocked (to exo@watch.example)"]
    assert [letter.attempts for letter in queries.letters(office.engine)] == [0, 0, 1]
    assert office.run(MONDAY, CLOCK + timedelta(minutes=1)).outcomes == {}
    assert office.run(MONDAY, CLOCK + LONGEST_WAIT).outcomes == {"sent": 3}


def test_two_rounds_at_once_send_nothing_twice(office: Office) -> None:
    readers = tuple(Recipient(address=f"r{number}@reader.example") for number in range(6))
    office.settle(recipients=readers)
    together, done = Barrier(2), []

    def work() -> None:
        together.wait()
        done.append(office.run())

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [posted.troubles for posted in done] == [[], []]
    assert sum(posted.written for posted in done) == 6
    assert sorted(taken.recipient for taken in office.server.taken) == sorted(reader.address for reader in readers)


def test_killed_between_the_message_and_the_mark_it_goes_once_more_and_is_the_same(
    office: Office, tmp_path: Path
) -> None:
    office.settle(recipients=(Recipient(address=ANNA, digest=False),))
    file = tmp_path / "config.yaml"
    file.write_text(
        f"data: {tmp_path}\nmail:\n  server: 127.0.0.1\n  port: {office.server.port}\n  security: none\n"
        f"  sender: exo@watch.example\nrecipients:\n  - address: {ANNA}\n    digest: false\n"
    )
    payload = "Subject: Week\r\nMessage-ID: <4711@watch.example>\r\n\r\nText\r\n"
    outbox.put(office.engine, Letter(ANNA, "mail", "digest", "digest-x", "Week", payload), now=MONDAY)
    environment = {**os.environ, "EXOWATCH_DATABASE_URL": str(office.engine.url)}
    command = [sys.executable, "-m", "reports", "post", "--config", str(file)]
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    # The server has the whole message, and before it answers the sender is dead.
    office.server.on_data = lambda: os.kill(child.pid, signal.SIGKILL)
    _, complaint = child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL, complaint.decode()
    office.server.on_data = lambda: None
    assert office.states() == {ANNA: "sending"}
    now = datetime.now(UTC)
    assert office.run(MONDAY, now).outcomes == {}  # somebody may still be sending it
    assert office.run(MONDAY, now + LEASE + timedelta(minutes=1)).outcomes == {}  # in doubt: it waits first
    assert office.run(MONDAY, now + LEASE + LONGEST_WAIT).outcomes == {"sent": 1}
    first, second = office.server.taken
    assert first.raw == second.raw == payload.encode()
    assert office.run(MONDAY, now + timedelta(days=2)).outcomes == {}
    assert office.states() == {ANNA: "sent"}


@APPRISE
def test_chats_and_webhooks_get_alerts_and_digests_too(office: Office) -> None:
    with loopback() as web:
        web.routes["/room"] = Reply("{}", content_type="application/json")
        web.routes["/hook"] = Reply("{}")
        watched = Watchlist(name="Arthritis", terms=("arthritis",), recipients=("team", "desk"))
        office.settle(
            recipients=(),
            channels=(Channel(name="team", url_from="TEAM_CHAT", digest=True),),
            webhooks=(Webhook(name="desk", url=f"http://{web.address}/hook", secret_from="DESK_SECRET", digest=True),),
            watchlists=(watched,),
            rehearsal=Rehearsal(address=web.address),
        )
        office.hit("Arthritis", "claim_reworded", MONDAY)
        secrets = {"TEAM_CHAT": f"json://{web.address}/room", "DESK_SECRET": SECRET}
        assert office.run(**secrets).outcomes == {"sent": 4}
        assert office.run(**secrets).outcomes == {}
        bodies = {asked.path: [] for asked in web.asked}  # type: dict[str, list[dict[str, object]]]
        for asked in web.asked:
            bodies[asked.path].append(json.loads(asked.body))
        digest, alert = sorted(bodies["/hook"], key=lambda body: str(body["type"]), reverse=True)
        assert digest["type"] == "digest.written"
        assert digest["data"]["permalink"] == "https://watch.example/exo/digests/2026-W47"  # type: ignore[index]
        assert alert["type"] == "alert.matched"
        (item,) = alert["data"]["items"]  # type: ignore[index]
        assert (item["quote"], item["before"]) == ("treats arthritis in two weeks", "treats arthritis in four weeks")
        assert item["permalink"] == f"https://watch.example/exo/claims/{office.ids['arthritis']}"
        assert item["met"][0]["why"][0]["term"] == "arthritis"
        assert any("treats arthritis in two weeks" in str(body["message"]) for body in bodies["/room"])
        assert trial(office.config, "desk", now=CLOCK, environment=secrets).state == "sent"


def test_dry_it_writes_what_it_would_send_and_changes_nothing(office: Office) -> None:
    office.settle(recipients=(Recipient(address=ANNA), Recipient(address=BEN)))
    outbox.suppress(office.engine, BEN, "all", cause="by hand", now=SUNDAY)
    outbox.put(office.engine, Letter(ANNA, "mail", "alert", "alert-1", "s", "Subject: waits\r\n\r\nx"), now=SUNDAY)
    files = list(office.round().write_dry())
    assert [file.name for file in files] == [f"digest-2026-W47-{ANNA}.eml", f"alert-1-{ANNA}.eml"]
    assert {file.parent for file in files} == {office.config.outbox_folder}
    mail = message_from_bytes(files[0].read_bytes(), policy=default)
    assert mail["To"] == ANNA
    assert "2026-W47" in str(mail["Subject"])
    assert office.server.taken == []
    assert [letter.key for letter in queries.letters(office.engine)] == ["alert-1"]
    assert queries.digests(office.engine) == ()
    assert office.run().outcomes == {"sent": 2}


def test_a_test_mail_has_what_every_mail_has(office: Office) -> None:
    assert trial(office.config, "new@reader.example", now=CLOCK).state == "sent"
    (taken,) = office.server.taken
    assert taken.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert queries.letters(office.engine) == ()
    office.server.at_rcpt["new@reader.example"] = ["550 5.7.1 no"]
    assert trial(office.config, "new@reader.example", now=CLOCK).told == "550 5.7.1 no"


def test_what_cannot_be_written_keeps_no_other_letter_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.settle(recipients=(Recipient(address=ANNA, jurisdictions=("us",)), Recipient(address=BEN)))
    from reports.delivery import letters

    whole = letters.gather

    def gather(*given: object, jurisdictions: tuple[str, ...] = (), **more: object) -> object:
        if jurisdictions:
            raise LookupError("a provision is missing")
        return whole(*given, jurisdictions=jurisdictions, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(letters, "gather", gather)
    done = office.run()
    assert done.outcomes == {"sent": 1}
    assert done.troubles == [f"digest-2026-W47 for {ANNA} could not be written: a provision is missing"]
    monkeypatch.setattr(letters, "gather", whole)
    assert office.run().outcomes == {"sent": 1}


def test_asked_to_stop_it_finishes_the_letter_in_hand(office: Office) -> None:
    office.settle(recipients=tuple(Recipient(address=address) for address in (ANNA, BEN)))
    post = office.round()
    office.server.on_data = post.stopping.set
    assert post.run().outcomes == {"sent": 1}
    assert sorted(office.states().values()) == ["sent", "waiting"]


def test_a_week_that_is_not_over_is_not_sent_in_part(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"data: {tmp_path}\nmail: {{sender: a@b.example}}\nrecipients: [{{address: {ANNA}}}]\n")
    assert main(["post", "--config", str(file), "--week", "2999-W01"]) == 2
    assert capsys.readouterr().err == "--week: 2999-W01 is not over; its digest is sent when it is, and once only\n"
    assert main(["post", "--config", str(file), "--test", "nobody"]) == 2
    assert "must be a mail address" in capsys.readouterr().err
    assert main(["post", "--config", str(file), "--week", "2026-W30", "--dry"]) == 2
    said = "nothing was read from 2026-07-20 to 2026-07-26, so 2026-W30 has nothing to tell; exowatch export runs"
    assert capsys.readouterr().err.startswith(f"--week: {said}")
    # Auckland's week is over before London's is.
    office.settle(recipients=(Recipient(address=ANNA), Recipient(address=BEN, timezone="Pacific/Auckland")))
    sunday = datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert office.run(sunday, sunday, week="2026-W47").outcomes == {"sent": 1}
    assert office.states() == {BEN: "sent"}


def test_an_alert_of_many_events_shows_some_and_counts_all(office: Office) -> None:
    watched = Watchlist(name="All", terms=("x",), recipients=(ANNA,))
    office.settle(recipients=(Recipient(address=ANNA, digest=False),), watchlists=(watched,))
    with transaction(office.engine) as session:
        event = session.exec(select(Event).where(Event.kind == "claim_reworded")).one()
        for number in range(130):
            copy = Event(**{**event.model_dump(exclude={"id"}), "dedupe_key": f"copy {number}"})
            session.add(copy)
            session.flush()
            session.add(WatchMatch(watchlist="All", event_id=copy.id or 0, why=[], matched_at=MONDAY))
    assert office.run().outcomes == {"sent": 1}
    (taken,) = office.server.taken
    assert taken.mail["Subject"].startswith("All: 130 events")
    text = taken.mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert len(re.findall(r"exowatch review decide", text)) == 20
    assert "110 more are listed" in text


def test_a_letter_claimed_for_somebody_who_left_meanwhile_is_held_back(office: Office) -> None:
    office.settle(recipients=(Recipient(address=ANNA, digest=False),))
    letter = Letter(ANNA, "mail", "digest", "digest-x", "s", "Subject: x\r\n\r\nx")
    outbox.put(office.engine, letter, now=SUNDAY)
    outbox.put(office.engine, replace(letter, key="digest-y"), now=SUNDAY)

    def leave() -> None:
        outbox.suppress(office.engine, ANNA, "digest", cause="unsubscribed", now=MONDAY)

    office.server.on_data = leave
    assert office.run().outcomes == {"sent": 1}
    assert sorted(row.state for row in queries.letters(office.engine)) == ["sent", "suppressed"]
