"""The digest: what happened in a period, gathered, put into words and written in each form."""

from reports.digest.formats import as_html, as_text
from reports.digest.headline import lead
from reports.digest.mailed import fitted, message
from reports.digest.view import Digest, Tally
from reports.digest.writing import FORMATS, USUAL, gather, write

__all__ = ["FORMATS", "USUAL", "Digest", "Tally", "as_html", "as_text", "fitted", "gather", "lead", "message", "write"]
