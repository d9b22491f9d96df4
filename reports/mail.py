"""Mails that arrive and cannot be misused: headers, parts, sizes.

Headers are written out here and not by the standard library's policies, for two reasons that its version 3.11 shows:
it decodes an encoded word (RFC 2047) found in hostile text, line break and all, into a header of its own, and it
encodes a long List-Unsubscribe until no receiver knows it any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any

from monitor.config.delivery import mail_address
from monitor.watching.outbox import reference_of
from reports.render import header, render

LARGEST_MESSAGE = 102_000
"""Bytes of a whole message. Gmail cuts off above 102 kB."""
_LONGEST_LINE = 998
"""RFC 5322, 2.1.1."""
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Envelope:
    """In whose name a mail goes, to whom, and how its reader leaves."""

    sender: str
    """`Exowatch <exowatch@example.org>`, or the address alone."""
    recipient: str
    name: str = ""
    reply_to: str = ""
    list_name: str = "Exowatch"
    list_id: str = ""
    """Left out: `exowatch.` and the sender's domain."""
    unsubscribe: str = ""
    """Web address that unsubscribes by one POST (RFC 8058); empty: a mail to `reply_to` or the sender."""
    reference: str = ""
    """Left part of the Message-ID: the same for the same letter, whenever it is made."""
    why: str = ""
    """One line at the foot: why the reader gets this."""


@dataclass(frozen=True)
class Picture:
    """A chart shown inside the HTML as `cid:<name>`."""

    name: str
    png: bytes


class _AsWritten(EmailPolicy):
    """Headers go out as they were given; `_lines` has made them fit."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        text = str(value)
        if any(line[:1] not in (" ", "\t") for line in text.split("\r\n")[1:]) or "\n" in text.replace("\r\n", ""):
            raise ValueError(f"{name}: a line break in a header")
        return name, text

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}\r\n"

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii")


_POLICY = _AsWritten(linesep="\r\n", cte_type="7bit", utf8=False)


def words(text: str, first_line: int = 0) -> str:
    """Text as a header's value (RFC 2047 where it is not plain ASCII), folded; nothing in it can end the header."""
    flat = header(text)
    # What looks like an encoded word is encoded, so that it is read as what it is.
    plain = flat.isascii() and "=?" not in flat
    made = Header(flat, "us-ascii" if plain else "utf-8", maxlinelen=76, header_name="x" * first_line)
    return made.encode(linesep="\r\n")


def mailbox(name: str, address: str) -> str:
    """A name and an address as one value (RFC 5322, 3.4). Raises ValueError for what is no address."""
    spec, shown = mail_address(address), header(name, _LONGEST_NAME)
    if not shown:
        return spec
    if shown.isascii() and "=?" not in shown:
        quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{spec}>'
    return f"{words(shown, len('Reply-To'))}\r\n <{spec}>"


def compose(
    subject: str,
    *,
    html: str,
    text: str,
    envelope: Envelope,
    written: datetime,
    language: str = "en",
    pictures: Iterable[Picture] = (),
) -> EmailMessage:
    """A whole mail: text first and complete, then HTML. Raises ValueError for an address that is none."""
    foot = {"envelope": envelope, "leave": envelope.unsubscribe}
    made = EmailMessage(policy=_POLICY)
    for name, value in _headers(subject, envelope, written).items():
        made[name] = value
    made.set_content(_sound(text + render("mail_foot.txt", language, **foot)), charset="utf-8")
    body = _before_end(html, render("mail_foot.html", language, **foot))
    made.add_alternative(_sound(body), subtype="html", charset="utf-8")
    for picture in pictures:
        page = made.get_payload()[1]  # type: ignore[index]  # the HTML part, as added above
        page.add_related(  # type: ignore[union-attr]
            picture.png, "image", "png", cid=f"<{picture.name}>", filename=f"{picture.name}.png", disposition="inline"
        )
    made["Content-Language"] = language
    # A boundary of its own each time would make two copies of the same letter differ.
    for number, part in enumerate(part for part in made.walk() if part.is_multipart()):
        part.set_boundary(f"=_{number}_{envelope.reference or 'exowatch'}")
    return made


def _headers(subject: str, envelope: Envelope, written: datetime) -> Mapping[str, str]:
    name, address = parseaddr(envelope.sender)
    domain = mail_address(address).rpartition("@")[2].strip("[]")
    list_id = envelope.list_id or f"exowatch.{domain}"
    headers = {
        "From": mailbox(name, address),
        "To": mailbox(envelope.name, envelope.recipient),
        "Subject": words(subject, len("Subject")),
        "Date": format_datetime(written),
        "Message-ID": f"<{envelope.reference or reference_of(envelope.recipient, subject)}@{domain}>",
    }
    if envelope.reply_to:
        headers["Reply-To"] = mailbox("", envelope.reply_to)
    headers |= {
        "List-Id": f"{words(envelope.list_name, len('List-Id'))} <{list_id}>",  # RFC 2919
        "List-Unsubscribe": f"<{envelope.unsubscribe or _by_mail(envelope.reply_to or address)}>",  # RFC 2369
    }
    if envelope.unsubscribe.startswith("https://"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    headers["Auto-Submitted"] = "auto-generated"  # RFC 3834
    if any(len(line) > _LONGEST_LINE for value in headers.values() for line in value.split("\r\n")):
        raise ValueError("a header is longer than mail may carry (998 characters): shorten public_site")
    return headers


def _by_mail(address: str) -> str:
    return f"mailto:{mail_address(address)}?subject=unsubscribe"


def _before_end(html: str, foot: str) -> str:
    """The page with its foot: inside its main part, where there is one."""
    for end in ("</main>", "</body>"):
        before, found, after = html.rpartition(end)
        if found:
            return f"{before}{foot}{found}{after}"
    return html + foot


def _sound(text: str) -> str:
    """Half a surrogate pair is no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
