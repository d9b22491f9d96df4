"""Pages to measure with: 50 kB of invented HTML each, of every kind that a crawl meets."""

from __future__ import annotations

from random import Random

_NEUTRAL = (
    "The waiting room has been repainted and there is a new water fountain beside the door.",
    "Parking is free for the first two hours, and the tram stops in front of the building.",
    "Our team has worked together for eleven years and meets every morning over coffee.",
    "Please bring a form of identification and arrive ten minutes before your appointment.",
    "The garden behind the house is open to visitors from April until the end of October.",
    "We answer letters within three working days and telephone calls on the same day.",
)
_CLAIMS = (
    "Our exosome therapy treats arthritis and relieves chronic joint pain.",
    "Exosome injections regrow hair and wake dormant follicles.",
    "The exosome infusion repairs damaged cells and has no side effects.",
    "This stem cell exosome serum stimulates collagen production and heals acne scars.",
)
_PRODUCT_ONLY = "An exosome serum leaves the skin looking hydrated and smooth."


def page(number: int, kind: str, size: int = 50_000) -> str:
    """One page. `kind`: `neutral` (no product), `product` (product, no claim) or `claims` (four claims)."""
    random = Random(number)
    head = (
        f"<html lang='en'><head><title>Page {number}</title></head>"
        f"<body><nav><a href='/'>Home</a></nav><h1>Page {number}</h1>"
    )
    special = {"neutral": [], "product": [_PRODUCT_ONLY], "claims": list(_CLAIMS)}[kind]
    parts, length = [head], len(head)
    while length < size - 200:
        text = special.pop() if special and random.random() < 0.05 else " ".join(random.choices(_NEUTRAL, k=3))
        heading = " ".join(text.split()[:4])  # a site's blocks come again under their own headings
        block = f"<div class='row r{number}'><h2>{heading}</h2><p class='text'>{text}</p></div>\n"
        parts.append(block)
        length += len(block)
    parts.extend(f"<p>{text}</p>" for text in special)
    return "".join(parts) + "<footer>Book now. Price $450.</footer></body></html>"


def kinds(count: int) -> list[str]:
    """A site as crawls meet it: three pages of four are about something else."""
    return [("claims", "neutral", "product", "neutral")[number % 4] for number in range(count)]
