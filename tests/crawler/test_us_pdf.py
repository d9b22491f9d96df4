"""The text of PDFs: what can be read of them, and what is said of those that cannot."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.source import BlockedError
from crawler.sources.pdf import MOST_PAGES, pdf_of, pdf_text
from tests.crawler.responses import response_of

URL = "https://www.fda.gov/media/990001/download"


def tiny_pdf(*pages: str, packed: bool = False) -> bytes:
    """A PDF of our own making: one page for each text, one printed line for each of its lines."""
    objects = ["", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages:
        shown = " ".join(f"({line}) Tj 0 -16 Td" for line in text.split("\n") if line)
        stream = f"BT /F1 12 Tf 72 720 Td {shown} ET".encode("latin-1")
        kind = "/Filter /FlateDecode " if packed else ""
        stream = zlib.compress(stream) if packed else stream
        objects.append(f"<< {kind}/Length {len(stream)} >>\nstream\n{stream.decode('latin-1')}\nendstream")
        kids.append(f"{len(objects) + 1} 0 R")
        resources = "<< /Font << /F1 3 0 R >> >>"
        page = f"/Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R /Resources {resources}"
        objects.append(f"<< /Type /Page {page} >>")
    objects[0] = "<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body, places = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{written}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return body + f"{head}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n".encode()


@pytest.mark.parametrize("packed", [False, True])
def test_the_text_of_every_page_is_read_line_by_line(packed: bool) -> None:
    found = pdf_text(tiny_pdf("Dear Dr. Quill:\nYour vials are not licensed.", "Sincerely", packed=packed))

    assert found.text == "Dear Dr. Quill:\nYour vials are not licensed.\nSincerely"
    assert (found.unread, found.again) == ("", False)


def test_quoted_addresses_come_along() -> None:
    found = pdf_of(response_of(URL, tiny_pdf("We looked at www.kelda.example and www.fda.gov."), "application/pdf"))

    assert found.quoted_urls == ("https://www.kelda.example",)


def test_pictures_of_pages_are_said_to_be_that_and_are_not_asked_for_again() -> None:
    found = pdf_text(tiny_pdf("", ""))

    assert (found.text, found.again) == ("", False)
    assert "pictures" in found.unread


def test_a_file_that_breaks_off_is_said_and_asked_for_again() -> None:
    found = pdf_text(b"%PDF-1.4\n1 0 obj\n<< /Type /Cat")

    assert (found.text, found.again) == ("", True)
    assert "no whole PDF" in found.unread


def test_a_locked_file_is_said_to_be_locked() -> None:
    lock = "<< /Filter /Standard /V 1 /R 2 /O <" + "00" * 32 + "> /U <" + "00" * 32 + "> /P -4 >>"
    locked = tiny_pdf("Secret").replace(b"/Root 1 0 R", f"/Root 1 0 R /ID [<01> <01>] /Encrypt {lock}".encode())

    found = pdf_text(locked)

    assert (found.text, found.again) == ("", False)
    assert "locked by a password" in found.unread


def test_a_page_of_html_in_place_of_a_pdf_is_said() -> None:
    found = pdf_of(response_of(URL, "<html><h1>Not here</h1><p>The file has moved.</p></html>"))

    assert (found.text, found.again) == ("", True)
    assert found.unread == "got text/html where a PDF was expected"


def test_an_apology_in_place_of_a_pdf_is_a_block() -> None:
    with pytest.raises(BlockedError):
        pdf_of(response_of(URL, "<html><title>FDA Apology</title></html>", status=404))


def test_a_very_long_document_is_read_in_part_and_says_so() -> None:
    found = pdf_text(tiny_pdf(*(f"Page {number}" for number in range(MOST_PAGES + 2))))

    assert found.text.endswith(f"Page {MOST_PAGES - 1}")
    assert found.unread == f"pages after the first {MOST_PAGES} of {MOST_PAGES + 2}"


@settings(deadline=None, max_examples=60)
@given(junk=st.binary(max_size=200), at=st.integers(min_value=0, max_value=400))
def test_a_damaged_file_gives_text_or_a_reason(junk: bytes, at: int) -> None:
    whole = tiny_pdf("Dear Dr. Quill:")

    found = pdf_text(whole[:at] + junk + whole[at + len(junk) :])

    assert found.text or found.unread
