"""The phrases of reports and their translations: `python -m tests.reports.catalogues` adds new ones to the catalogues.

What no page says any more is taken out. Translations stay; a new phrase stands there empty until someone translates it,
and the tests fail until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from reports.languages import LANGUAGES

REPORTS = Path(__file__).parents[2] / "reports"
KEYWORDS = {"_": None, "gettext": None, "phrase": None, "ngettext": (1, 2)}
OPTIONS = {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
TRANSLATED = LANGUAGES[1:]
HEAD = """msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


def path_of(code: str) -> Path:
    return REPORTS / "locale" / code / "messages.po"


def phrases() -> Catalog:
    """Every phrase in the program's text and its templates."""
    found = Catalog()
    for path, method in _sources():
        for _, message, _, _ in extract_from_file(method, str(path), keywords=KEYWORDS, options=OPTIONS):
            found.add(message)
    return found


def _sources() -> Iterator[tuple[Path, str]]:
    for path in sorted(REPORTS.rglob("*")):
        if path.suffix == ".py":
            yield path, "python"
        elif "templates" in path.parts and path.suffix in (".html", ".txt", ".xml"):
            yield path, "jinja2"


def catalogue(code: str) -> Catalog:
    with path_of(code).open("rb") as file:
        return read_po(file, locale=code)


def renew(code: str) -> None:
    held = catalogue(code)
    held.update(phrases(), no_fuzzy_matching=True)
    held.obsolete.clear()
    written = BytesIO()
    write_po(written, held, no_location=True, omit_header=True, width=0, sort_output=True)
    head = HEAD.format(code=code, plural=held.plural_forms)
    path_of(code).write_text(head + written.getvalue().decode(), encoding="utf-8")


if __name__ == "__main__":
    for each in TRANSLATED:
        renew(each)
