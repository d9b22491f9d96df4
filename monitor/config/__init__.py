"""The operator's file `config.yaml`: what it may say, read, checked and edited."""

from monitor.config.delivery import Channel, Mail, Recipient, Webhook
from monitor.config.evidence import EvidenceChoice
from monitor.config.parts import clock_change_at
from monitor.config.root import (
    CONFIG_VARIABLE,
    Config,
    ConfigError,
    DigestChoice,
    Network,
    Rehearsal,
    Schedule,
    Site,
    SourceChoice,
    Vocabulary,
    Watchlist,
    config_path,
    installed_sources,
    jurisdiction_codes,
    live_flaw,
    load,
    now,
    site_id,
)

__all__ = [
    "CONFIG_VARIABLE",
    "Channel",
    "Config",
    "ConfigError",
    "DigestChoice",
    "EvidenceChoice",
    "Mail",
    "Network",
    "Recipient",
    "Rehearsal",
    "Schedule",
    "Site",
    "SourceChoice",
    "Vocabulary",
    "Watchlist",
    "Webhook",
    "clock_change_at",
    "config_path",
    "installed_sources",
    "jurisdiction_codes",
    "live_flaw",
    "load",
    "now",
    "site_id",
]
