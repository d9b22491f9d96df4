"""`python -m crawler` with the test spiders and cards in place of the shipped ones: CARDS.yaml, then its arguments.

With EXOWATCH_TEST_DNS (`name=address,…`) those names resolve to those addresses, as a hostile DNS server would have it.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))


def spiders() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crawler.sources.for_tests", HERE / "spiders.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    by_post = ModuleType("crawler.sources.for_tests_by_post")
    by_post.Spider = module.PostSpider  # type: ignore[attr-defined]
    by_post.read = module.read  # type: ignore[attr-defined]
    sys.modules[by_post.__name__] = by_post
    return module


def lie_about_names(answers: dict[str, str]) -> None:
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real(answers.get(name, host), port, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    told = os.environ.get("EXOWATCH_TEST_DNS", "")
    lie_about_names(dict(pair.split("=") for pair in told.split(",") if pair))
    spiders()
    import crawler.source
    from monitor.records import SourceCard

    cards = [SourceCard.model_validate(card) for card in yaml.safe_load(Path(sys.argv[1]).read_text())]
    crawler.source.load_cards = lambda folder=HERE: {card.id: card for card in cards}
    sys.argv[1:2] = []
    runpy.run_module("crawler", run_name="__main__")
