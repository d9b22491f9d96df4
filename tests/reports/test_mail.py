"""Mails: every header that a receiver looks for, nothing hostile in any of them, small enough, whole in both parts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderDefect, MessageDefect
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.digest.mailed import fitted, message
from reports.digest.view import Digest
from reports.mail import LARGEST_MESSAGE, Envelope, Picture, compose, mailbox, words
from reports.render import header
from tests.reports import factory
from tests.reports.conftest import Stored

AT = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
LINK = "https://watch.example/unsubscribe/" + "r" * 32 + "." + "s" * 43
ENVELOPE = Envelope(
    sender="Exowatch <exo@watch.example>",
    recipient="anna@reader.example",
    name="Anna Ärmel",
    reply_to="desk@watch.example",
    unsubscribe=LINK,
    reference="r" * 32,
    why="You get this because of us.",
)
EXPECTED = [
    "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Language",
]  # fmt: skip
HOSTILE = (
    "x\r\nBcc: all@victim.example",
    "=?utf-8?q?x=0D=0ABcc:_all@victim.example?=",
    "=?utf-8?b?eA0KQmNjOiBhbGxAdmljdGltLmV4YW1wbGU=?=",
    "x\nBcc: all@victim.example\n\n<script>",
    "\u202egnp.elif \u2066evil\u2069",
    "a\u2028b\u0085c\x0bd\x0ce\x1cf",
    "\ud800 half",
    '"quoted" <evil@victim.example>, other@victim.example',
    "日本語" * 80,
    "مرحبا بالعالم 🧬💉" * 20,
    "x" * 3000,
)
ANY_TEXT = st.one_of(
    st.text(max_size=400), st.sampled_from(HOSTILE), st.builds("".join, st.lists(st.sampled_from(HOSTILE)))
)


def made(subject: str = "Week 47", **more: object) -> EmailMessage:
    values = {"html": "<main><p>Hello</p></main>", "text": "Hello\n", "envelope": ENVELOPE, "written": AT, **more}
    return compose(subject, **values)  # type: ignore[arg-type]


def read(mail: EmailMessage) -> EmailMessage:
    """As a receiver reads it."""
    parsed = message_from_bytes(mail.as_bytes(), policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def defects(mail: EmailMessage) -> list[MessageDefect | HeaderDefect]:
    found: list[MessageDefect | HeaderDefect] = []
    for part in mail.walk():
        found += part.defects
        found += [defect for _, value in part.items() for defect in getattr(value, "defects", ())]
    return found


def test_every_header_that_receivers_look_for_is_there_as_they_want_it() -> None:
    mail = made("Week 47: 3 claims")
    raw = mail.as_bytes().decode("ascii")
    head = raw.partition("\r\n\r\n")[0]
    assert [line.partition(":")[0] for line in head.split("\r\n") if line[0] not in " \t"] == EXPECTED
    assert f"\r\nList-Unsubscribe: <{LINK}>\r\n" in raw
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    assert "\r\nList-Id: Exowatch <exowatch.watch.example>\r\n" in raw
    assert "\r\nAuto-Submitted: auto-generated\r\n" in raw
    assert f"\r\nMessage-ID: <{'r' * 32}@watch.example>\r\n" in raw
    parsed = read(mail)
    assert defects(parsed) == []
    assert parsedate_to_datetime(parsed["Date"]) == AT
    assert [(one.display_name, one.addr_spec) for one in parsed["To"].addresses] == [
        ("Anna Ärmel", "anna@reader.example")
    ]
    assert parsed["Reply-To"] == "desk@watch.example"


def test_without_a_site_that_readers_reach_one_leaves_by_mail() -> None:
    mail = read(made(envelope=Envelope(sender="exo@watch.example", recipient="anna@reader.example")))
    assert mail["List-Unsubscribe"] == "<mailto:exo@watch.example?subject=unsubscribe>"
    assert mail["List-Unsubscribe-Post"] is None
    plain = Envelope(
        sender="exo@watch.example", recipient="anna@reader.example", unsubscribe="http://intra.example/u/1"
    )
    mail = read(made(envelope=plain))
    assert mail["List-Unsubscribe"] == "<http://intra.example/u/1>"
    assert mail["List-Unsubscribe-Post"] is None  # RFC 8058 wants https


def test_text_comes_first_and_both_parts_have_the_foot() -> None:
    text, page = read(made()).iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().startswith("Hello\r\n\r\n-- \r\n")
    for part in (text, page):
        assert LINK in part.get_content()
        assert "You get this because of us." in part.get_content()
    assert page.get_content().split()[-2:] == ["</footer>", "</main>"]
    german = read(made(language="de"))
    assert german["Content-Language"] == "de"


def test_the_same_letter_is_the_same_to_the_byte() -> None:
    picture = Picture("chart", b"\x89PNG\r\n\x1a\n")
    assert made(pictures=[picture]).as_bytes() == made(pictures=[picture]).as_bytes()


def test_pictures_are_in_the_mail_and_nowhere_else() -> None:
    page = '<main><img src="cid:chart" alt="Claims by month"></main>'
    _, related = read(made(html=page, pictures=[Picture("chart", b"\x89PNG\r\n\x1a\n")])).iter_parts()
    html, picture = related.iter_parts()
    assert related.get_content_type() == "multipart/related"
    assert (picture.get_content_type(), picture["Content-ID"]) == ("image/png", "<chart>")
    assert picture.get_content() == b"\x89PNG\r\n\x1a\n"
    assert "cid:chart" in html.get_content()


@pytest.mark.parametrize(
    "address", ["", "anna", "anna@", "@x", "a b@x.example", "a@x.example\r\nBcc: b@x.example", "ä@x"]
)
def test_what_is_no_address_gets_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="must be a mail address"):
        mailbox("Anna", address)


@given(subject=ANY_TEXT, name=ANY_TEXT, title=ANY_TEXT, why=ANY_TEXT, body=ANY_TEXT)
@example(*[HOSTILE[1]] * 5)
@example(*[HOSTILE[0]] * 5)
def test_no_text_of_others_becomes_a_header(subject: str, name: str, title: str, why: str, body: str) -> None:
    envelope = Envelope(
        sender='"Exowatch, \\"Desk\\" Zürich" <exo@watch.example>',
        recipient="anna@reader.example",
        name=name,
        list_name=title,
        unsubscribe=LINK,
        reference="r" * 32,
        why=why,
    )
    mail = compose(subject, html=f"<p>{body}</p>", text=body, envelope=envelope, written=AT)
    raw = mail.as_bytes()
    lines = raw.split(b"\r\n")
    assert raw.isascii()
    assert all(len(line) <= 998 and b"\r" not in line and b"\n" not in line for line in lines)
    head = raw.partition(b"\r\n\r\n")[0].decode()
    names = [line.partition(":")[0] for line in head.split("\r\n") if line[0] not in " \t"]
    assert names == [expected for expected in EXPECTED if expected != "Reply-To"]
    parsed = read(mail)
    assert parsed["Bcc"] is None
    assert [one.addr_spec for one in parsed["To"].addresses] == ["anna@reader.example"]
    (sender,) = parsed["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ('Exowatch, "Desk" Zürich', "exo@watch.example")
    text, page = parsed.iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert parsed["Message-ID"] == f"<{'r' * 32}@watch.example>"


@given(ANY_TEXT)
def test_a_subject_is_read_as_it_was_meant(text: str) -> None:
    folded = words(text, len("Subject"))
    assert all(len(line) <= 998 for line in folded.split("\r\n"))
    from email.header import decode_header

    pieces = decode_header(folded.replace("\r\n", "")) if folded else []
    said = "".join(piece.decode(code or "ascii") if isinstance(piece, bytes) else piece for piece, code in pieces)
    assert re.sub(r"\s+", "", said) == re.sub(r"\s+", "", header(text))


# --- digests


def letter(digest: Digest, html: str, text: str) -> EmailMessage:
    return message(
        digest,
        html=html,
        text=text,
        recipient="anna@reader.example",
        sender="exo@watch.example",
        site="https://watch.example/",
        language="en",
    )


def test_a_digests_mail_is_named_after_the_digest_and_its_reader(stored: Stored) -> None:
    digest = stored.digest().digest
    mail = read(letter(digest, "<p>x</p>", "x"))
    assert mail["Subject"] == digest.subject
    assert mail["Archived-At"] == f"<https://watch.example/digests/{digest.name}>"
    assert parsedate_to_datetime(mail["Date"]).timestamp() == int(digest.generated_at.timestamp())
    again = digest.model_copy(update={"generated_at": AT})
    assert read(letter(again, "<p>y</p>", "y"))["Message-ID"] == mail["Message-ID"]
    other = digest.model_copy(update={"name": "2026-W48"})
    assert read(letter(other, "<p>x</p>", "x"))["Message-ID"] != mail["Message-ID"]


def test_a_hostile_week_arrives_in_one_piece(stored: Stored) -> None:
    from reports.digest.formats import as_html, as_text

    digest = stored.digest().digest
    mail = read(fitted(digest, lambda each: letter(each, as_html(each), as_text(each))))
    assert defects(mail) == []
    text, page = (part.get_content() for part in mail.iter_parts())
    assert "treats arthritis" in text
    assert "treats arthritis" in page
    assert "<script>" not in page
    assert mail["Bcc"] is None
    assert not re.search(r"""(src|background)\s*=\s*["']?https?:""", page)
    assert "url(" not in page.partition("</style>")[2]
    assert factory.HOSTILE.encode() not in mail.as_bytes()


def test_a_week_that_is_too_long_keeps_its_counts_and_lists_the_same_in_both_parts(stored: Stored) -> None:
    from reports.digest.formats import as_html, as_text

    digest = stored.digest().digest
    section = next(section for section in digest.sections if section.claims)
    group = section.claims[0]
    page = group.pages[0]
    many = tuple(page.claims[0].model_copy(update={"claim_id": 70_000 + number}) for number in range(600))
    longer = group.model_copy(update={"pages": (page.model_copy(update={"claims": many}),), "total": 600, "more": 0})
    sections = tuple(
        each.model_copy(update={"claims": (longer,)}) if each is section else each for each in digest.sections
    )
    long_digest = digest.model_copy(update={"sections": sections})
    mail = fitted(long_digest, lambda each: letter(each, as_html(each, largest=2**31), as_text(each)))
    size = len(mail.as_bytes())
    assert LARGEST_MESSAGE * 0.9 < size <= LARGEST_MESSAGE
    text, html = (part.get_content() for part in read(mail).iter_parts())
    listed = [set(re.findall(r"/claims/(7\d{4})\b", part)) for part in (text, html)]
    assert listed[0] == listed[1]
    assert 10 < len(listed[0]) < 600
    more = f"{600 - len(listed[0])} more"
    assert more in text
    assert more in html
