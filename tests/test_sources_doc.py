"""docs/sources.md lists every source as its card has it. `python -m tests.test_sources_doc` writes the table anew."""

from __future__ import annotations

from pathlib import Path

from crawler.source import load_cards
from monitor.records import SourceCard

DOCUMENT = Path(__file__).parents[1] / "docs" / "sources.md"
BEGIN, END = "<!-- sources: from the cards, by python -m tests.test_sources_doc -->", "<!-- /sources -->"


def row(card: SourceCard) -> str:
    """One source: what it is, what inclusion in it means, how often and how slowly it is read."""
    pace = f"{card.frequency}, {card.pace.delay:g} s between two requests"
    if card.pace.daily_requests is not None:
        pace += f", at most {card.pace.daily_requests:,} a day"
    seen = "" if not card.unverified else "; its markup was not seen yet"
    title = f"[{cell(card.title)}]({card.authority.url})" if card.authority.url else cell(card.title)
    return (
        f"| `{card.id}` | {title} | {card.jurisdiction} | {card.language} | {card.kind} | {cell(card.means)} "
        f"| {pace}{seen} |"
    )


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def table() -> str:
    """Every source but the demo's, by its id."""
    cards = [card for card in load_cards().values() if not card.demo]
    columns = ("source", "what it is", "where", "language", "records", "what inclusion means", "read")
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"
    return "\n".join([head, *(row(card) for card in sorted(cards, key=lambda card: card.id))])


def written(text: str) -> str:
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def test_the_table_says_what_the_cards_say() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == written(text), "run python -m tests.test_sources_doc"
    assert "demo_warning_letters" not in table()
    assert "`us_fda_warning_letters`" in table()


def test_a_cell_stays_one_cell() -> None:
    assert cell("a |\n b") == "a \\| b"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
