"""Handing letters over to a real mail server, a chat and a webhook, and what is made of every way to fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config import Channel, Mail, Webhook
from monitor.config.delivery import PASSWORD_VARIABLE
from reports.delivery.ways import SENT, Mailer, Outcome, to_chat, to_webhook
from reports.delivery.webhook import RefusedAddressError, key_of, post, sign
from tests.loopback import Asked, Loopback, Reply, loopback
from tests.reports.delivery.mailserver import DROP, PASSWORD, MailServer, certificates, mail_server

ANNA, BEN = "anna@reader.example", "ben@reader.example"
LETTER = "Subject: Week\r\nMessage-ID: <1@watch.example>\r\n\r\nText\r\n.begins with a dot\r\n"


@pytest.fixture(scope="module")
def _server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(_server: MailServer) -> MailServer:
    _server.forget()
    return _server


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificates(tmp_path_factory.mktemp("tls"))


class Handed:
    """Notes that a letter was marked as handed over."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def plain(port: int, **more: object) -> Mail:
    values = {"server": "127.0.0.1", "port": port, "security": "none", "sender": "Exo <exo@watch.example>"}
    return Mail.model_validate({**values, "timeout_seconds": 5.0, **more})


def send(mail: Mail, to: str = ANNA, **environment: str) -> tuple[Outcome, int]:
    handed = Handed()
    with Mailer(mail, environment) as mailer:
        return mailer.send(to, LETTER, handed), handed.times


def test_what_the_server_takes_arrives_whole(server: MailServer) -> None:
    assert send(plain(server.port)) == (SENT, 1)
    (taken,) = server.taken
    assert taken.raw.decode() == LETTER


def test_one_connection_serves_several_letters_and_one_refusal_stops_none(server: MailServer) -> None:
    server.at_rcpt[ANNA] = ["550 5.1.1 no such user here"]
    with Mailer(plain(server.port), {}) as mailer:
        assert mailer.send(ANNA, LETTER, Handed()) == Outcome("refused", "550 5.1.1 no such user here", bounced=True)
        assert mailer.send(BEN, LETTER, Handed()) == SENT
    assert [taken.recipient for taken in server.taken] == [BEN]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("451 4.7.1 greylisted, try again later", Outcome("later", "451 4.7.1 greylisted, try again later")),
        ("452 4.2.2 mailbox full", Outcome("later", "452 4.2.2 mailbox full")),
        ("550 5.7.1 refused by policy", Outcome("refused", "550 5.7.1 refused by policy")),
        ("550 5.2.1 mailbox closed", Outcome("refused", "550 5.2.1 mailbox closed", bounced=True)),
        ("553 no", Outcome("refused", "553 no")),
        ("421 4.3.2 shutting down", Outcome("down", "421 4.3.2 shutting down")),
    ],
)
def test_what_the_server_says_decides(server: MailServer, answer: str, outcome: Outcome) -> None:
    server.at_rcpt[ANNA] = [answer]
    assert send(plain(server.port)) == (outcome, 0)
    server.at_data[ANNA] = [answer]
    assert send(plain(server.port)) == (outcome, 1)


def test_a_sender_that_is_refused_is_our_trouble_and_not_the_recipients(server: MailServer) -> None:
    server.at_sender.append("550 5.7.1 you may not send")
    outcome, handed = send(plain(server.port))
    assert (outcome.state, handed) == ("down", 0)
    assert "exo@watch.example" in outcome.told


def test_a_connection_that_breaks_before_the_message_is_no_doubt(server: MailServer) -> None:
    server.at_rcpt[ANNA] = [DROP]
    outcome, handed = send(plain(server.port))
    assert (outcome.state, handed) == ("later", 0)


def test_a_connection_that_breaks_before_the_answer_is_a_doubt(server: MailServer) -> None:
    server.at_data[ANNA] = [DROP]
    outcome, handed = send(plain(server.port))
    assert (outcome.state, handed) == ("doubt", 1)
    assert len(server.taken) == 1


def test_after_a_break_the_next_letter_has_a_connection_of_its_own(server: MailServer) -> None:
    server.at_data[ANNA] = [DROP]
    with Mailer(plain(server.port), {}) as mailer:
        assert mailer.send(ANNA, LETTER, Handed()).state == "doubt"
        assert mailer.send(BEN, LETTER, Handed()) == SENT


def test_a_server_that_never_answers_is_down(server: MailServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outcome, handed = send(plain(port, timeout_seconds=0.2))
    assert (outcome.state, handed) == ("down", 0)
    assert "timed out" in outcome.told
    nobody, _ = send(plain(port))
    assert nobody == Outcome("down", f"127.0.0.1, port {port}: Connection refused")


def test_a_mark_that_cannot_be_set_stops_the_letter(server: MailServer) -> None:
    def lost() -> None:
        raise LookupError("another sender has it")

    with Mailer(plain(server.port), {}) as mailer, pytest.raises(LookupError):
        mailer.send(ANNA, LETTER, lost)
    assert server.taken == []


def test_starttls_and_login(trusted: tuple[Path, Path]) -> None:
    root, certificate = trusted
    with mail_server(certificate, login=True) as server:
        mail = plain(server.port, security="starttls", user="exo", ca=str(root))
        assert send(mail, **{PASSWORD_VARIABLE: PASSWORD}) == (SENT, 1)
        wrong, _ = send(mail, **{PASSWORD_VARIABLE: "a guess"})
        assert (wrong.state, "a guess" in wrong.told) == ("down", False)
        assert PASSWORD_VARIABLE in wrong.told
        missing, _ = send(mail)
        assert missing == Outcome("down", f"mail.user is exo, and {PASSWORD_VARIABLE} is not set")
        stranger, _ = send(plain(server.port, security="starttls", user="exo"), **{PASSWORD_VARIABLE: PASSWORD})
        assert stranger.state == "down"
        assert "certificate" in stranger.told
        assert "mail.ca" in stranger.told
        assert len(server.taken) == 1


def test_tls_from_the_start(trusted: tuple[Path, Path]) -> None:
    root, certificate = trusted
    with mail_server(certificate, from_the_start=True) as server:
        assert send(plain(server.port, security="tls", ca=str(root))) == (SENT, 1)


def test_nothing_goes_in_the_clear_where_tls_was_asked_for(server: MailServer) -> None:
    outcome, handed = send(plain(server.port, security="starttls"))
    assert (outcome.state, handed) == ("down", 0)
    assert server.seen == []


def test_without_a_server_nothing_is_sent() -> None:
    outcome, _ = send(Mail(sender="exo@watch.example"))
    assert outcome == Outcome("down", "mail.server: is missing; name the mail server, or use --dry")


# --- chats


@pytest.fixture
def web() -> Iterator[Loopback]:
    with loopback() as running:
        yield running


# apprise imports what Python 3.13 no longer has, and does without it there
APPRISE = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
CHAT = Channel(name="team", url_from="TEAM_CHAT")


@APPRISE
def test_a_chat_is_posted_to_through_apprise(web: Loopback) -> None:
    web.routes["/room"] = Reply("{}", content_type="application/json")
    environment = {"TEAM_CHAT": f"json://{web.address}/room"}
    handed = Handed()
    assert to_chat(CHAT, "Title", "Körper", handed, rehearsal=True, environment=environment) == SENT
    (asked,) = web.asked
    assert (handed.times, json.loads(asked.body)["message"]) == (1, "Körper")


@APPRISE
def test_a_chats_address_is_never_told(web: Loopback) -> None:
    web.routes["/token-4711"] = Reply("no", status=500)
    environment = {"TEAM_CHAT": f"json://{web.address}/token-4711"}
    failed = to_chat(CHAT, "Title", "Body", Handed(), environment=environment)
    assert failed == Outcome("later", "channels: team: the service did not take it")
    broken = to_chat(CHAT, "Title", "Body", Handed(), environment={"TEAM_CHAT": "nonsense://token-4711"})
    assert broken == Outcome("later", "channels: team: TEAM_CHAT holds no address that apprise knows")
    missing = to_chat(CHAT, "Title", "Body", Handed(), environment={})
    assert missing == Outcome("later", "channels: team: TEAM_CHAT is not set")
    away = to_chat(
        CHAT, "T", "B", Handed(), rehearsal=True, environment={"TEAM_CHAT": "json://chat.example/token-4711"}
    )
    assert away == Outcome("refused", "channels: team: a rehearsal posts to this machine only")


# --- webhooks

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
REFERENCE = "a" * 32


def hook(web: Loopback) -> Webhook:
    return Webhook(name="desk", url=f"http://{web.address}/in?queue=1", secret_from="DESK_SECRET")


def posted(web: Loopback, body: str = '{"type":"alert.matched"}') -> Outcome:
    return to_webhook(hook(web), REFERENCE, body, Handed(), rehearsal=True, environment={"DESK_SECRET": SECRET})


def test_a_receiver_can_check_who_posted_what_and_when(web: Loopback) -> None:
    web.routes["/in"] = Reply("{}")
    body = '{"type":"alert.matched","data":"Zürich 東京"}'
    assert posted(web, body) == SENT
    (asked,) = web.asked
    assert (asked.method, asked.path, asked.body.decode()) == ("POST", "/in?queue=1", body)
    headers = {name.lower(): value for name, value in asked.headers.items()}
    # As a receiver would, by the words of Standard Webhooks and without our code.
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), asked.body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == REFERENCE
    assert headers["content-type"] == "application/json"
    assert posted(web, body) == SENT
    assert [asked.headers["webhook-id"] for asked in web.asked] == [REFERENCE, REFERENCE]


def test_the_signature_is_the_one_that_openssl_makes() -> None:
    at = datetime.fromtimestamp(1674087231, UTC)
    # printf 'msg_1.1674087231.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef -binary | base64
    assert sign(b"0123456789abcdef0123456789abcdef", "msg_1", at, b'{"a":1}') == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1674087231",
        "webhook-signature": "v1,c9lhjcxcymv8/2VlKN9YRwiXq2vINjMBBrf/LxiKlvQ=",
    }


@pytest.mark.parametrize(
    ("reply", "state", "at_least"),
    [
        (Reply("", status=500), "later", 0),
        (Reply("", status=429, headers={"Retry-After": "3600"}), "later", 3600),
        (Reply("", status=503, headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), "later", 0),
        (Reply("", status=401), "later", 0),
        (Reply("", status=410), "refused", 0),
        (Reply("", status=302, headers={"Location": "http://169.254.169.254/"}), "refused", 0),
    ],
)
def test_what_the_other_side_answers_decides(web: Loopback, reply: Reply, state: str, at_least: int) -> None:
    web.routes["/in"] = reply
    outcome = posted(web)
    assert (outcome.state, outcome.at_least) == (state, timedelta(seconds=at_least))
    assert str(reply.status) in outcome.told
    assert len(web.asked) == 1


def test_a_webhook_that_is_not_there_is_asked_again_later(web: Loopback) -> None:
    web.close()
    assert posted(web).state == "later"


@pytest.mark.parametrize(
    ("number", "loopback_only"),
    [
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("::ffff:192.168.0.1", False),
        ("fd00::1", False),
        ("224.0.0.1", False),
        ("93.184.216.34", True),
    ],
)
def test_private_addresses_are_not_posted_to(monkeypatch: pytest.MonkeyPatch, number: str, loopback_only: bool) -> None:
    def looked_up(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with pytest.raises(RefusedAddressError, match=r"desk\.example leads to"):
        post("https://desk.example/in", b"{}", {}, loopback=loopback_only)


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 443)) for number in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(RefusedAddressError, match=r"10\.0\.0\.1"):
        post("https://desk.example/in", b"{}", {})


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = []

    def connect(address: tuple[str, int], *_: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("as far as this test goes")

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        post("https://desk.example/in", b"{}", {})
    assert connected == [("93.184.216.34", 443)]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64 at all!", "whsec_" + "QUFB" * 30])
def test_a_secret_that_is_none_is_told_without_telling_it(web: Loopback, secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and the base64 of 24 to 64 random bytes"):
        key_of(secret)
    outcome = to_webhook(hook(web), REFERENCE, "{}", Handed(), rehearsal=True, environment={"DESK_SECRET": secret})
    assert outcome.state == "later"
    assert "webhooks: desk: DESK_SECRET" in outcome.told
    assert web.asked == []


def test_an_answer_that_is_no_http_is_asked_again_later(web: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise http.client.BadStatusLine("SSH-2.0")

    monkeypatch.setattr("reports.delivery.ways.post", broken)
    assert posted(web).state == "later"


def test_a_request_names_the_host_and_not_its_number(web: Loopback) -> None:
    hosts: list[str] = []

    def note(asked: Asked) -> Reply:
        hosts.append(asked.host)
        return Reply("{}")

    web.routes["/in"] = note
    url = f"http://localhost:{web.port}/in"
    assert post(url, b"{}", {}, loopback=True).status == 200
    assert hosts == [f"localhost:{web.port}"]
