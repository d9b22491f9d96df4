"""One digest in each of its forms: a page that stands alone, plain text, PDF, JSON, a mail."""

from __future__ import annotations

import binascii
import hashlib
from email.utils import parseaddr

from markupsafe import Markup

from monitor.config import Config
from reports.digest.cut import longest
from reports.digest.headline import lead
from reports.digest.view import Digest
from reports.render import render, stylesheet

LARGEST_HTML = 98_000
"""Bytes of the page as a mail carries it. Gmail cuts a message off above 102 kB; headers and foot need the rest."""


def size_in_mail(html: str) -> int:
    """Bytes that the page takes in a mail: as quoted-printable or as base64, whichever is shorter (RFC 2045)."""
    data = html.encode()
    return min(len(binascii.b2a_qp(data)), -(-len(data) // 57) * 78)


def as_html(digest: Digest, largest: int = LARGEST_HTML) -> str:
    """A page that stands alone and fits into a mail: items are cut where they must be, counts never."""
    return longest(digest, _html, size_in_mail, largest)


def _html(digest: Digest, template: str = "digest.html", **more: Markup) -> str:
    css = stylesheet()
    return render(template, digest.language, digest=digest, lead=lead(digest), css=css, base=digest.site, **more)


def as_text(digest: Digest) -> str:
    """Everything, nothing cut."""
    return render("digest.txt", digest.language, digest=digest, lead=lead(digest), base=digest.site)


def as_json(digest: Digest) -> str:
    return digest.model_dump_json(indent=1) + "\n"


def as_pdf(digest: Digest) -> bytes:
    """Everything, nothing cut. Raises `reports.pdf.PdfError` where no PDF can be made."""
    from reports.pdf import pdf_of

    identifier = hashlib.sha256(as_json(digest).encode()).digest()[:16]
    return pdf_of(_html(digest, "digest_print.html", paper=stylesheet("paper")), identifier)


def as_mail(digest: Digest, config: Config) -> bytes:
    """A message to the sender itself, like those that the outbox makes. Raises ValueError without a sender."""
    from reports.digest.mailed import fitted, message

    mail = config.mail
    if mail is None:
        raise ValueError('--format eml needs a sender; add to the configuration: mail: {sender: "Exowatch <you@…>"}')
    return fitted(
        digest,
        lambda each: message(
            each,
            html=_html(each),
            text=as_text(each),
            recipient=parseaddr(mail.sender)[1],
            sender=mail.sender,
            site=digest.site,
            language=digest.language,
            list_id=mail.list_id or "",
        ),
    ).as_bytes()
