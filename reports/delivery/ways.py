"""Hands letters over: mail by SMTP, chats through apprise, webhooks. Says what came of it; remembers nothing."""

from __future__ import annotations

import logging
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from http.client import HTTPException
from typing import Literal, Self
from urllib.parse import urlsplit

from monitor.config.delivery import PASSWORD_VARIABLE, Channel, Mail, Webhook, is_loopback
from monitor.watching.outbox import IN_DOUBT
from reports.delivery.webhook import RefusedAddressError, key_of, post, sign
from reports.render import line

LAST_ANSWER = 10
"""A server may take ten minutes over the end of a message, against one for the rest: who hangs up sooner is sent the
same twice (RFC 5321, 4.5.3.2.6; RFC 1047)."""
_LONGEST_TOLD = 300


@dataclass(frozen=True)
class Outcome:
    """What came of handing one letter over.

    `sent`; `later`: not taken now; `refused`: never will be; `doubt`: handed over, and no answer heard; `down`: the
    whole way is closed, whoever the recipient is.
    """

    state: Literal["sent", "later", "refused", "doubt", "down"]
    told: str = ""
    bounced: bool = False
    """The address itself does not exist or takes nothing any more."""
    at_least: timedelta = timedelta(0)


class NotReadyError(Exception):
    """Something that sending needs is not there; the text says what and where it goes."""


SENT = Outcome("sent")
HandOver = Callable[[], None]
"""Called just before the message itself goes out; what it raises stops the sending."""


class Mailer:
    """One mail server. The connection is made at the first letter and kept for the next; use it in a `with`."""

    def __init__(self, mail: Mail, environment: Mapping[str, str] | None = None) -> None:
        self._mail = mail
        self._environment = os.environ if environment is None else environment
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def send(self, recipient: str, payload: str, hand_over: HandOver) -> Outcome:
        """One letter to one address. Whatever the server does is an `Outcome`, and no exception."""
        try:
            smtp = self._connected()
        except NotReadyError as error:
            self._leave()
            return Outcome("down", str(error))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._leave()
            return Outcome("down", f"{self._mail.server}, port {self._mail.port}: {_told(error)}")
        try:
            return self._transaction(smtp, recipient, payload, hand_over)
        except (smtplib.SMTPException, OSError) as error:
            self._leave()
            return Outcome("later", _told(error))

    def _transaction(self, smtp: smtplib.SMTP, recipient: str, payload: str, hand_over: HandOver) -> Outcome:
        code, said = smtp.mail(parseaddr(self._mail.sender)[1])
        if code != 250:
            self._reset(smtp)
            refused = _refusal(code, said)
            # It is we who are refused, and not this recipient alone.
            return Outcome("down", f"{refused.told} (to {self._mail.sender})") if code >= 500 else refused
        code, said = smtp.rcpt(recipient)
        if code not in (250, 251):
            self._reset(smtp)
            return _refusal(code, said)
        hand_over()
        code, said = smtp.docmd("DATA")
        if code != 354:
            self._reset(smtp)
            return _refusal(code, said)
        body = re.sub(rb"(?m)^\.", b"..", re.sub(rb"\r\n|\n|\r", b"\r\n", payload.encode("ascii")))
        smtp.send(body if body.endswith(b"\r\n") else body + b"\r\n")
        # From here on it may have been taken, whatever becomes of the connection.
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(self._mail.timeout_seconds * LAST_ANSWER)
            smtp.send(b".\r\n")
            code, said = smtp.getreply()
            if smtp.sock is not None:
                smtp.sock.settimeout(self._mail.timeout_seconds)
        except (smtplib.SMTPException, OSError) as error:
            self._leave()
            return Outcome("doubt", f"{IN_DOUBT} ({_told(error)})")
        if code == 250:
            return SENT
        self._reset(smtp)
        return _refusal(code, said)

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            try:
                if self._smtp.noop()[0] == 250:
                    return self._smtp
            except (smtplib.SMTPException, OSError):
                pass  # it hung up in between, as servers do: connect anew
            self._leave()
        mail = self._mail
        if not mail.server:
            raise NotReadyError("mail.server: is missing; name the mail server, or use --dry")
        if mail.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                mail.server, mail.port, timeout=mail.timeout_seconds, context=_trust(mail)
            )
        else:
            smtp = smtplib.SMTP(mail.server, mail.port, timeout=mail.timeout_seconds)
        self._smtp = smtp
        if mail.security == "starttls":
            smtp.starttls(context=_trust(mail))  # raises where the server offers none: nothing goes in the clear
        smtp.ehlo_or_helo_if_needed()
        if mail.user:
            password = self._environment.get(PASSWORD_VARIABLE, "")
            if not password:
                raise NotReadyError(f"mail.user is {mail.user}, and {PASSWORD_VARIABLE} is not set")
            smtp.login(mail.user, password)
        return smtp

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (smtplib.SMTPException, OSError):
            self._leave()

    def _leave(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (smtplib.SMTPException, OSError):
                self._smtp.close()
            self._smtp = None


def _trust(mail: Mail) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(mail.ca) if mail.ca else None)


def _refusal(code: int, said: bytes) -> Outcome:
    text = f"{code} {line(said.decode('utf-8', 'replace'))[:_LONGEST_TOLD]}"
    if code == 421:
        return Outcome("down", text)
    if 400 <= code < 500:
        return Outcome("later", text)
    # RFC 3463: the mailbox or its domain does not exist (5.1.x), or it is closed (5.2.1). A refusal for other reasons
    # says nothing about the address.
    gone = re.search(rb"\b5\.(1\.(1|2|3|6|10)|2\.1)\b", said) is not None
    return Outcome("refused", text, bounced=gone)


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        return f"{error.smtp_code} {line(text)[:_LONGEST_TOLD]}: mail.user and {PASSWORD_VARIABLE} are not accepted"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the mail server's certificate is not believed ({error.verify_message}); see mail.ca"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{error}; see mail.security and mail.user"
    if isinstance(error, socket.gaierror):
        return f"the server's name is not known: {error.strerror}"
    reason = error.strerror if isinstance(error, OSError) else ""
    return line(reason or str(error))[:_LONGEST_TOLD] or type(error).__name__


def to_chat(
    channel: Channel,
    title: str,
    body: str,
    hand_over: HandOver,
    *,
    rehearsal: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Post to a chat. Its address is a secret: nothing of it, and nothing that apprise says, is told."""
    import apprise  # many services come with it: not for those who use none

    url = (os.environ if environment is None else environment).get(channel.url_from, "").strip()
    if not url:
        return Outcome("later", f"channels: {channel.name}: {channel.url_from} is not set")
    if rehearsal and not is_loopback(urlsplit(url).hostname or ""):
        return Outcome("refused", f"channels: {channel.name}: a rehearsal posts to this machine only")
    chat = apprise.Apprise()
    if not chat.add(url):
        return Outcome("later", f"channels: {channel.name}: {channel.url_from} holds no address that apprise knows")
    logging.getLogger("apprise").disabled = True
    hand_over()
    if chat.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
        return SENT
    return Outcome("later", f"channels: {channel.name}: the service did not take it")


def to_webhook(
    hook: Webhook,
    reference: str,
    body: str,
    hand_over: HandOver,
    *,
    rehearsal: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Post signed JSON. The reference is the same at each attempt: the receiver tells a second copy by it."""
    try:
        key = key_of((os.environ if environment is None else environment).get(hook.secret_from, "").strip())
    except ValueError as error:
        return Outcome("later", f"webhooks: {hook.name}: {hook.secret_from} {error}")
    data = body.encode()
    hand_over()
    try:
        answer = post(hook.url, data, sign(key, reference, datetime.now(UTC), data), loopback=rehearsal)
    except RefusedAddressError as error:
        return Outcome("refused", f"webhooks: {hook.name}: {error}")
    except (OSError, HTTPException) as error:
        # It may have arrived: it goes again under the same id, as often as any other that was not taken.
        return Outcome("later", f"webhooks: {hook.name}: {_told(error)}")
    told = f"webhooks: {hook.name}: answered {answer.status} {line(answer.reason)[:80]}"
    if 200 <= answer.status < 300:
        return SENT
    if answer.status == 410 or 300 <= answer.status < 400:
        return Outcome("refused", f"{told}; change its url or take it out")
    return Outcome("later", told, at_least=timedelta(seconds=answer.retry_after))
