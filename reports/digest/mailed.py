"""A digest as a mail, and the longest one that a receiver shows whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from email.message import EmailMessage

from monitor.watching.outbox import reference_of
from reports.digest.cut import longest
from reports.digest.view import Digest
from reports.mail import LARGEST_MESSAGE, Envelope, Picture, compose


def message(
    digest: Digest,
    *,
    html: str,
    text: str,
    recipient: str,
    sender: str,
    site: str,
    language: str,
    name: str = "",
    reply_to: str = "",
    list_id: str = "",
    unsubscribe: str = "",
    reference: str = "",
    why: str = "",
    pictures: Iterable[Picture] = (),
) -> EmailMessage:
    """A digest as a mail. Its Message-ID comes of the digest's name and the recipient, not of the moment.

    `reference`: the outbox's; left out, one of the same kind.
    """
    envelope = Envelope(
        sender=sender,
        recipient=recipient,
        name=name,
        reply_to=reply_to,
        list_name=digest.title,
        list_id=list_id,
        unsubscribe=unsubscribe,
        reference=reference or reference_of(recipient, f"digest-{digest.name}"),
        why=why,
    )
    made = compose(
        digest.subject,
        html=html,
        text=text,
        envelope=envelope,
        written=digest.generated_at,
        language=language,
        pictures=pictures,
    )
    if site:
        made["Archived-At"] = f"<{site.rstrip('/')}/digests/{digest.name}>"  # RFC 5064
    return made


def fitted(digest: Digest, mail_of: Callable[[Digest], EmailMessage], largest: int = LARGEST_MESSAGE) -> EmailMessage:
    """The mail with about as many items as fit; both parts list the same ones, and every count stays."""
    return longest(digest, mail_of, lambda mail: len(mail.as_bytes()), largest)
