"""Who we say we are."""

from __future__ import annotations

from importlib.metadata import version

from monitor.config import Config

NAME = "Exowatch"
"""The token that robots.txt files may name."""
SOFTWARE = f"{NAME}/{version('exowatch')}"


def contact_of(config: Config) -> str:
    """The configured contact as it can stand in a header; empty if there is none."""
    return "".join(char for char in config.contact if " " < char < "\x7f" and char not in "()")


def user_agent(config: Config) -> str:
    """Our name and how to reach us: `Exowatch/0.1.0 (+https://…)`."""
    contact = contact_of(config)
    return f"{SOFTWARE} (+{contact})" if contact else f"{SOFTWARE} (rehearsal)"
