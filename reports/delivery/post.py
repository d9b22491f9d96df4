"""The post: puts what is due into the outbox and hands over what waits there. Doing it again does nothing twice."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from monitor import queries
from monitor.config import Config
from monitor.config.delivery import Channel, Mail, Recipient, Target, Webhook
from monitor.watching import outbox, subscriptions
from monitor.watching.outbox import Claimed
from monitor.watching.subscriptions import Due
from reports.delivery.letters import Writer, trial_mail
from reports.delivery.ways import Mailer, Outcome, to_chat, to_webhook
from reports.files import write_whole
from reports.law import Law

_LOG = logging.getLogger(__name__)


@dataclass
class Posted:
    """What one round did: letters put in, and by outcome (sent, later, failed, in_doubt, held_back, lost)."""

    written: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """`2 written, 1 sent, 1 later`."""
        counts = {"written": self.written, **self.outcomes}
        said = ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in counts.items() if number)
        return said or "nothing was due"

    @property
    def failed(self) -> bool:
        return bool(self.outcomes["failed"] or self.troubles)


@dataclass(frozen=True)
class Round:
    """One round of the post. `clock`: the real time, by which letters wait; `now`: the rehearsed one, if there is."""

    engine: queries.Engine
    config: Config
    now: datetime
    law: Law
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    environment: Mapping[str, str] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set to end the round after the letter in hand."""

    def run(self, week: str = "") -> Posted:
        """Write what is due (and that week's digest for everyone), then hand over what waits."""
        done = Posted()
        subscriptions.note(self.engine, self.config, now=self.now)
        outbox.recover(self.engine, now=self.clock())
        outbox.withdraw(self.engine, self.config)
        self._fill(done, week)
        self._empty(done)
        return done

    def _due(self, week: str) -> list[Due]:
        asked: list[Due] = [*subscriptions.of_week(self.config, week, now=self.now)] if week else []
        found = subscriptions.due(self.engine, self.config, now=self.now)
        return [*asked, *(due for due in found if due not in asked)]

    def _fill(self, done: Posted, week: str) -> None:
        writer = Writer(self.engine, self.config, now=self.now, law=self.law)
        for due in self._due(week):
            if outbox.is_in(self.engine, due.target.key, due.key):
                continue
            try:
                letter = writer.letter(due)
            except Exception as error:  # one letter that cannot be written must not keep the others from their readers
                _LOG.exception("%s for %s could not be written", due.key, due.target.key)
                done.troubles.append(f"{due.key} for {due.target.key} could not be written: {error}")
                continue
            done.written += outbox.put(self.engine, letter, now=self.now, ready=self.clock())

    def _empty(self, done: Posted) -> None:
        targets = {target.key: target for target in self.config.targets}
        closed: set[str] = set()
        with Mailer(self.config.mail or _NO_MAIL, self.environment) as mailer:
            while not self.stopping.is_set():
                letter = outbox.claim(self.engine, now=self.clock(), without=closed)
                if letter is None:
                    break
                try:
                    outcome = self._one(mailer, targets.get(letter.recipient), letter)
                    done.outcomes[self._note(letter, outcome)] += 1
                except outbox.LostClaimError:
                    done.outcomes["lost"] += 1
                    continue
                if outcome is not None and outcome.state == "down":
                    closed.add(letter.way)
                    outbox.postpone(self.engine, letter.way, now=self.clock())
                    done.troubles.append(f"{letter.way}: {outcome.told}")

    def _one(self, mailer: Mailer, target: Target | None, letter: Claimed) -> Outcome | None:
        """Hand one letter over; None for one that is not to be sent any more."""

        def hand_over() -> None:
            outbox.hand_over(self.engine, letter, now=self.clock())

        if target is None or outbox.is_suppressed(self.engine, letter.recipient, letter.kind):
            return None
        rehearsal = self.config.rehearsal is not None
        if isinstance(target, Recipient):
            return mailer.send(target.address, letter.payload, hand_over)
        if isinstance(target, Channel):
            told = json.loads(letter.payload)
            return to_chat(
                target, told["title"], told["body"], hand_over, rehearsal=rehearsal, environment=self.environment
            )
        return to_webhook(
            target, letter.reference, letter.payload, hand_over, rehearsal=rehearsal, environment=self.environment
        )

    def _note(self, letter: Claimed, outcome: Outcome | None) -> str:
        """Write down what came of it; gives the word for it."""
        if outcome is None:
            why = outbox.is_suppressed(self.engine, letter.recipient, letter.kind)
            outbox.note_held_back(self.engine, letter, why or f"{letter.recipient} is no longer in the configuration")
            return "held_back"
        if outcome.state == "sent":
            outbox.note_sent(self.engine, letter, now=self.clock())
            return "sent"
        if outcome.state == "refused":
            outbox.note_failed(self.engine, letter, outcome.told)
            if outcome.bounced:
                outbox.suppress(
                    self.engine, letter.recipient, "all", cause="bounced", reason=outcome.told, now=self.now
                )
            return "failed"
        if outcome.state == "doubt":
            again = outbox.note_in_doubt(self.engine, letter, outcome.told, now=self.clock())
            return "in_doubt" if again else "failed"
        outbox.note_later(self.engine, letter, outcome.told, now=self.clock(), at_least=outcome.at_least)
        return "later"

    def write_dry(self, week: str = "") -> Iterator[Path]:
        """Write what a round would send into the outbox's folder, and change nothing else."""
        folder = self.config.outbox_folder
        folder.mkdir(parents=True, exist_ok=True)
        writer = Writer(self.engine, self.config, now=self.now, law=self.law, publishing=False)
        for due in self._due(week):
            if outbox.is_in(self.engine, due.target.key, due.key):
                continue
            letter = writer.letter(due)
            if not letter.held_back and not outbox.is_suppressed(self.engine, letter.recipient, letter.kind):
                yield _write(folder, letter.key, letter.recipient, letter.way, letter.payload)
        for row in queries.waiting_letters(self.engine):
            yield _write(folder, row.key, row.recipient, row.way, row.payload)


_NO_MAIL = Mail(sender="nobody@localhost.invalid")
_SUFFIX = {"mail": "eml", "chat": "txt", "webhook": "json"}


def _write(folder: Path, key: str, recipient: str, way: str, payload: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9@._-]+", "_", f"{key}-{recipient}").lstrip(".")[:180]
    path = folder / f"{name}.{_SUFFIX[way]}"
    write_whole(path, payload.encode())
    return path


def trial(config: Config, to: str, *, now: datetime, environment: Mapping[str, str] | None = None) -> Outcome:
    """Send one test to an address, a channel or a webhook, past the outbox, and say what came of it."""
    reference = outbox.reference_of(to, f"test-{now.isoformat()}")
    target = next((each for each in config.targets if each.key == to), None)
    rehearsal = config.rehearsal is not None
    if isinstance(target, Channel):
        return to_chat(
            target, f"{config.digest.title}: test", "A test.", _nothing, rehearsal=rehearsal, environment=environment
        )
    if isinstance(target, Webhook):
        body = json.dumps({"type": "test", "timestamp": now.isoformat(), "data": {}})
        return to_webhook(target, reference, body, _nothing, rehearsal=rehearsal, environment=environment)
    with Mailer(config.mail or _NO_MAIL, environment) as mailer:
        return mailer.send(to, trial_mail(config, to, now=now), _nothing)


def _nothing() -> None:
    """A test is in no outbox: nothing is noted before it goes out."""
