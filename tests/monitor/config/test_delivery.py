"""Recipients, chats, webhooks and the mail server: what is wrong is told with line and key, secrets are refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.config import Config, ConfigError, Mail, Recipient, load

WHOLE = """\
public_site: https://watch.example
digest: {timezone: Europe/Berlin}
mail:
  server: smtp.example.org
  user: exo
  sender: '"Exowatch, Desk" <exo@bücher.example>'
  reply_to: desk@watch.example
  list_id: weekly.watch.example
recipients:
  - address: anna@reader.example
    name: Anna
    language: de
    timezone: America/New_York
    on: tue
    at: "07:45"
    jurisdictions: [us]
    watchlists: [Follica]
channels:
  - name: team
    url_from: TEAM_CHAT
webhooks:
  - name: desk
    url: https://desk.example/in
    secret_from: DESK_SECRET
watchlists:
  - name: Follica
    names: [Follica Labs]
    recipients: [anna@reader.example, team, desk]
    rhythm: daily
"""


def read(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def flaws(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    return [line.removeprefix(f"{tmp_path / 'config.yaml'}:") for line in str(caught.value).splitlines()]


def test_a_whole_configuration_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, WHOLE)
    assert [target.key for target in config.targets] == ["anna@reader.example", "team", "desk"]
    assert config.mail is not None
    assert config.mail.sender == '"Exowatch, Desk" <exo@xn--bcher-kva.example>'
    assert config.mail.domain == "xn--bcher-kva.example"
    assert (config.mail.port, config.mail.security) == (587, "starttls")
    assert config.watchlists[0].rhythm == "daily"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("user: exo", "password: geheim"),
            "5: mail.password: take it out of the file, and put it into the environment variable "
            "EXOWATCH_SMTP_PASSWORD",
        ),
        (
            ("user: exo", "security: none"),
            "3: mail: security: none sends everything readable; only a server on this machine may be so, not "
            "smtp.example.org",
        ),
        (("user: exo", "port: 0"), "5: mail.port: should be greater than or equal to 1, not 0"),
        (("user: exo", "security: ssl"), '5: mail.security: "ssl" is none of starttls, tls, none'),
        (
            ("smtp.example.org", "smtp://exo:geheim@smtp.example.org"),
            "4: mail.server: must be the name of a mail server such as smtp.example.org, without port, user or "
            "password",
        ),
        (
            ("""'"Exowatch, Desk" <exo@bücher.example>'""", '"Exo\\r\\nBcc: all@victim.example <exo@watch.example>"'),
            '6: mail.sender: must be a mail address, with or without a name: "Exowatch <exowatch@example.org>"',
        ),
        (
            ("weekly.watch.example", "<weekly> x"),
            "8: mail.list_id: must look like weekly.exowatch.example.org (RFC 2919)",
        ),
        (
            ("- address: anna@reader.example", "- address: Anna"),
            "10: recipients[0].address: must be a mail address such as anna@example.org",
        ),
        (("language: de", "language: es"), '12: recipients[0].language: "es" is none of en, de, fr'),
        (
            ("jurisdictions: [us]", "jurisdictions: [gb]"),
            "16: recipients[0].jurisdictions[0]: no such jurisdiction: gb; did you mean uk?",
        ),
        (
            ("watchlists: [Follica]", "watchlists: [Folica]"),
            "17: recipients[0].watchlists[0]: no such watchlist: Folica; did you mean Follica?",
        ),
        (
            ('at: "07:45"', 'at: "02:15"'),
            "15: recipients[0].at: at 02:15 the clocks change in America/New_York (DAY): that time is missing or comes "
            'twice; add at: "06:30" or another time away from the night',
        ),
        (
            ("url_from: TEAM_CHAT", "url_from: slack://token"),
            "20: channels[0].url_from: must be the name of an environment variable, such as EXOWATCH_CHAT; the secret "
            "stands there",
        ),
        (
            ("https://desk.example/in", "http://desk.example/in"),
            "22: webhooks[0]: url must begin with https://; http:// is for a rehearsal on this machine alone",
        ),
        (
            ("https://desk.example/in", "https://10.0.0.7/in"),
            "22: webhooks[0]: url: 10.0.0.7 is a private address; only public ones are posted to",
        ),
        (
            ("https://desk.example/in", "http://127.0.0.1:8080/in"),
            "23: webhooks[0].url: this machine may be posted to in a rehearsal only",
        ),
        (
            ("recipients: [anna@reader.example, team, desk]", "recipients: [ana@reader.example]"),
            "28: watchlists[0].recipients[0]: no such recipient: ana@reader.example; did you mean anna@reader.example?",
        ),
        (
            ("recipients: [anna@reader.example, team, desk]", "recipients: [zoe]"),
            "28: watchlists[0].recipients[0]: no such recipient: zoe; add it under recipients:, channels: or webhooks:",
        ),
        (("rhythm: daily", "rhythm: hourly"), '29: watchlists[0].rhythm: "hourly" is none of at_once, daily, weekly'),
        (("- name: desk", "- name: Team"), "22: webhooks[0].name: 'Team' is already in channels[0]; keep one"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_key(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert change[0] in WHOLE
    found = flaws(tmp_path, WHOLE.replace(*change))
    assert told in [re.sub(r"\(\d{4}-\d\d-\d\d\)", "(DAY)", flaw) for flaw in found]


def test_recipients_need_a_sender(tmp_path: Path) -> None:
    (told,) = flaws(tmp_path, "recipients:\n  - address: anna@reader.example\n")
    assert told == "1: recipients: need a mail server; add mail: with sender: and server:"


def test_a_rehearsal_reaches_nobody(tmp_path: Path) -> None:
    rehearsed = WHOLE + "rehearsal: {address: 127.0.0.1:8099}\n"
    assert flaws(tmp_path, rehearsed) == [
        "4: mail.server: a rehearsal sends to this machine only; write 127.0.0.1, or take rehearsal: out",
        "23: webhooks[0].url: a rehearsal posts to this machine only; take it or rehearsal: out",
    ]
    here = rehearsed.replace("smtp.example.org", "localhost").replace("https://desk.example", "http://localhost:8080")
    assert read(tmp_path, here).rehearsal is not None


def test_a_time_that_comes_from_the_digest_is_checked_in_the_recipients_zone(tmp_path: Path) -> None:
    text = "digest: {timezone: UTC, at: '02:30'}\nmail: {sender: a@b.example}\nrecipients:\n"
    (told,) = flaws(tmp_path, text + "  - {address: anna@reader.example, timezone: Europe/Berlin}\n")
    assert told.startswith("4: recipients[0].timezone: at 02:30 the clocks change in Europe/Berlin")
    assert read(tmp_path, text + "  - {address: anna@reader.example}\n").recipients == (
        Recipient(address="anna@reader.example"),
    )


@pytest.mark.parametrize("server", ["127.0.0.1", "localhost", "::1", "[::1]"])
def test_a_server_on_this_machine_needs_no_tls(server: str) -> None:
    assert Mail(server=server, security="none", sender="a@b.example").security == "none"
