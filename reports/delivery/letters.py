"""Writes what goes into the outbox: a digest or an alert, for one recipient, by the recipient's way."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from monitor import queries
from monitor.config import Config
from monitor.config.delivery import Channel, Mail, Recipient, Target, Webhook
from monitor.watching.outbox import Letter, reference_of
from monitor.watching.subscriptions import Due, DueAlert, DueDigest, time_of, way_of
from reports import mail, period
from reports.delivery import alert as alerts
from reports.delivery.unsubscribing import link
from reports.digest import Digest, as_html, as_text, fitted, gather, lead, message, write
from reports.languages import speech
from reports.law import Law

_UNBOUNDED = 2**31
"""Bytes: the whole message is fitted, and not its HTML alone."""


class Writer:
    """Writes letters. A digest that several recipients share is put together once."""

    def __init__(
        self, engine: queries.Engine, config: Config, *, now: datetime, law: Law, publishing: bool = True
    ) -> None:
        """`publishing`: digests that letters lead to are written for the site, too."""
        self._engine, self._config, self._now, self._law = engine, config, now, law
        self._publishing = publishing
        self._digests: dict[tuple[object, ...], Digest] = {}
        self._site = (config.public_site or "").rstrip("/")

    def letter(self, due: Due) -> Letter:
        """The letter for what is due. One that is not to be sent says so, so that it is not written again."""
        return self._digest_letter(due) if isinstance(due, DueDigest) else self._alert_letter(due)

    def _digest_letter(self, due: DueDigest) -> Letter:
        target = due.target
        digest = self._digest(target, due.week)
        wants_empty = self._config.digest.empty == "send" and (not isinstance(target, Recipient) or target.empty)
        # Silence must not be mistaken for "nothing new": a blind source is told even to who wants no empty weeks.
        held_back = "" if wants_empty or not digest.empty or digest.blind else "nothing was new, and that is not wanted"
        payload = (
            self._digest_mail(target, due, digest) if isinstance(target, Recipient) else self._told(target, digest)
        )
        return Letter(
            recipient=target.key,
            way=way_of(target),
            kind="digest",
            key=due.key,
            subject=digest.subject,
            payload=payload,
            held_back=held_back,
        )

    def _digest(self, target: Target, week: str) -> Digest:
        """In the reader's own zone: their week has to be over when they get it, whatever the site's is."""
        recipient = target if isinstance(target, Recipient) else None
        what: dict[str, Any] = {
            "jurisdictions": recipient.jurisdictions if recipient else (),
            "watchlists": recipient.watchlists if recipient else (),
            "language": language_of(self._config, target),
        }
        zone = time_of(self._config, target).timezone
        asked = (week, zone, *what.values())
        if asked not in self._digests:
            found = gather(self._engine, self._config, period.week(week, zone), self._now, law=self._law, **what)
            self._digests[asked] = found.model_copy(update={"site": self._site or found.site})
            self._publish(found.name, week, what)
        return self._digests[asked]

    def _publish(self, name: str, week: str, what: dict[str, Any]) -> None:
        """Write it where the mail's "complete digest" leads, unless it lies there as of the week's end."""
        whole = period.week(week, self._config.digest.timezone)
        held = queries.digest(self._engine, name)
        if self._publishing and (held is None or held.written_at < min(whole.end, self._now)):
            write(self._engine, self._config, whole, self._now, law=self._law, **what)

    def _digest_mail(self, recipient: Recipient, due: DueDigest, digest: Digest) -> str:
        settings, language = _mail_of(self._config), language_of(self._config, recipient)
        reference = reference_of(recipient.key, due.key)

        def made(cut: Digest) -> EmailMessage:
            return message(
                cut,
                html=as_html(cut, largest=_UNBOUNDED),
                text=as_text(cut),
                recipient=recipient.address,
                name=recipient.name,
                sender=settings.sender,
                reply_to=settings.reply_to or "",
                list_id=settings.list_id or "",
                site=self._site,
                language=language,
                unsubscribe=link(self._config, reference),
                reference=reference,
                why=speech(language).gettext(
                    "You get this each week because %(address)s is subscribed to it.", address=recipient.address
                ),
            )

        return fitted(digest, made).as_bytes().decode("ascii")

    def _told(self, target: Target, digest: Digest) -> str:
        address = f"{self._site}/digests/{digest.name}" if self._site else ""
        if isinstance(target, Channel):
            return json.dumps({"title": digest.subject, "body": f"{lead(digest)}\n{address}".strip()})
        told = {
            "type": "digest.written",
            "timestamp": digest.generated_at.isoformat(),
            "data": {
                "name": digest.name,
                "subject": digest.subject,
                "lead": lead(digest),
                "rehearsal": digest.rehearsal,
                "counts": digest.counts,
                "permalink": address or None,
            },
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    def _alert_letter(self, due: DueAlert) -> Letter:
        target = due.target
        rows = queries.alert_rows(self._engine, due.matches)

        def built(shown: int) -> alerts.Alert:
            return alerts.build(
                rows,
                title=self._config.digest.title,
                watchlists=due.watchlists,
                law=self._law,
                language=language_of(self._config, target),
                site=self._site,
                now=self._now,
                shown=shown,
            )

        if isinstance(target, Recipient):
            told, payload = built(alerts.MOST_SHOWN), self._alert_mail(target, due, built)
        elif isinstance(target, Channel):
            told = built(alerts.IN_CHAT)
            payload = json.dumps({"title": told.subject, "body": alerts.as_lines(told)})
        else:
            told = built(alerts.IN_JSON)
            payload = alerts.as_json(told)
        return Letter(
            recipient=target.key,
            way=way_of(target),
            kind="alert",
            key=due.key,
            subject=told.subject,
            payload=payload,
            watchlists=due.watchlists,
            matches=due.matches,
        )

    def _alert_mail(self, recipient: Recipient, due: DueAlert, built: Callable[[int], alerts.Alert]) -> str:
        """With as many events as fit, twenty at most; the count stays."""
        settings, reference = _mail_of(self._config), reference_of(recipient.key, due.key)
        language = language_of(self._config, recipient)
        envelope = mail.Envelope(
            sender=settings.sender,
            recipient=recipient.address,
            name=recipient.name,
            reply_to=settings.reply_to or "",
            list_name=self._config.digest.title,
            list_id=settings.list_id or "",
            unsubscribe=link(self._config, reference),
            reference=reference,
            why=speech(language).gettext(
                "You get this because %(address)s is a recipient of: %(lists)s.",
                address=recipient.address,
                lists=", ".join(due.watchlists),
            ),
        )
        shown = alerts.MOST_SHOWN
        while True:
            alert = built(shown)
            made = mail.compose(
                alert.subject,
                html=alerts.as_html(alert),
                text=alerts.as_text(alert),
                envelope=envelope,
                written=alert.written_at,
                language=language,
            ).as_bytes()
            if len(made) <= mail.LARGEST_MESSAGE or shown == 1:
                return made.decode("ascii")
            shown //= 2


def language_of(config: Config, target: Target) -> str:
    """A webhook's receiver is a program: English."""
    return "en" if isinstance(target, Webhook) else target.language or config.digest.language


def trial_mail(config: Config, address: str, *, now: datetime) -> str:
    """A mail that shows whether mails arrive, with the headers that all of them have."""
    settings = _mail_of(config)
    reference = reference_of(address, f"test-{now.isoformat()}")
    spoken = speech()
    text = spoken.gettext("This is a test of Exowatch. If you read it, its mails reach you.")
    envelope = mail.Envelope(
        sender=settings.sender,
        recipient=address,
        reply_to=settings.reply_to or "",
        list_name=config.digest.title,
        list_id=settings.list_id or "",
        unsubscribe=link(config, reference),
        reference=reference,
    )
    made = mail.compose(
        f"{config.digest.title}: test",
        html=f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title></head>'
        f"<body><main><h1>Test</h1><p>{text}</p></main></body></html>",
        text=text + "\n",
        envelope=envelope,
        written=now,
    )
    return made.as_bytes().decode("ascii")


def _mail_of(config: Config) -> Mail:
    if config.mail is None:
        raise ValueError("mail: is missing from the configuration; add mail: with sender: and server:")
    return config.mail
