"""Pages on paper: a digest as PDF, by WeasyPrint (the extra `pdf`).

The same page gives the same bytes wherever the same versions of WeasyPrint, Pango and the fonts are installed: no
time and no random number goes into the file.
"""

from __future__ import annotations

MISSING = "a PDF needs WeasyPrint, which is not installed; install the extra: pip install 'exowatch[pdf]'"
BROKEN = "WeasyPrint is installed, but the system's Pango is not ({error}); install Pango (Debian: libpango-1.0-0)"


class PdfError(Exception):
    """No PDF can be made here. Its text says what to install."""


def pdf_of(html: str, identifier: bytes) -> bytes:
    """A tagged PDF/UA of a page that stands alone. `identifier`: the file's own, the same for the same content.

    Raises PdfError if WeasyPrint or a library that it needs is missing.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except ModuleNotFoundError as error:
        raise PdfError(MISSING) from error
    except OSError as error:  # a shared library that is not there
        raise PdfError(BROKEN.format(error=error)) from error
    # A report holds all that it shows, pictures included: nothing is fetched from anywhere.
    document = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=("data",)), media_type="print")
    written: bytes = document.write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True, pdf_identifier=identifier)
    return written
