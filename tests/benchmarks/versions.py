"""`python -m tests.benchmarks.versions`: versions of a page compared, and wordings put into their clusters.

The anchor is the standard library's difflib over the lines of both texts, as tools that watch pages use it. It tells
lines apart, and no words, moved blocks or counters. Read the ratios: machines are noisy.
"""

from __future__ import annotations

import difflib
import random
import time
from collections.abc import Callable

from monitor.market.clusters import form_of
from monitor.reading.differences import between
from monitor.reading.flicker import same_but_for_flicker
from monitor.reading.text import read_html

WORDS = (
    "exosome serum skin hair growth cell clinic treats renews the of and with our in for vial patients doctor result"
).split()
BLOCKS = 170
ROUNDS = 60


def main() -> None:
    shaken = random.Random(1)
    first = [sentence(shaken) for _ in range(BLOCKS)]
    second = [f"{text} {sentence(shaken)[:30]}" if number % 14 == 0 else text for number, text in enumerate(first)]
    old, new, flickered = (read_html(page(texts, stock)) for texts, stock in ((first, 3), (second, 3), (first, 2)))
    lines = old.text.splitlines(), new.text.splitlines()
    print(f"Versions of a page of {len(page(first, 3)) // 1000} kB and {len(old.blocks)} blocks, a second and core")
    anchor = per_second(lambda: list(difflib.unified_diff(*lines)))
    for name, work in (
        ("block by block and word by word", lambda: between(old, new)),
        ("is it only flicker", lambda: same_but_for_flicker(old, flickered)),
    ):
        speed = per_second(work)
        print(f"  {name:<34} {speed:>8,.0f}  ({speed / anchor:.2f} of difflib's {anchor:,.0f})")
    quotes = [sentence(shaken) for _ in range(ROUNDS)]
    speed = per_second(lambda: [form_of(quote, ["Kelda Labs"]).bands() for quote in quotes]) * ROUNDS
    print(f"  {'keys of a wording, for its cluster':<34} {speed:>8,.0f}")


def sentence(shaken: random.Random) -> str:
    return " ".join(shaken.choice(WORDS) for _ in range(shaken.randint(8, 60)))


def page(texts: list[str], stock: int) -> str:
    parts = (
        f"<h2>{text[:20]}</h2><p>{text}</p><ul><li>{text[:40]}</li><li>$ {n}</li></ul>" for n, text in enumerate(texts)
    )
    return f"<html><title>Serum</title><h1>Exosomes</h1><p>Only {stock} left in stock</p>{''.join(parts)}</html>"


def per_second(work: Callable[[], object]) -> float:
    """How often a second of processor time it is done."""
    begun = time.process_time()
    for _ in range(ROUNDS):
        work()
    return ROUNDS / (time.process_time() - begun)


if __name__ == "__main__":
    main()
