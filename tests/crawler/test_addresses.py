"""Which addresses may be reached. The forms are those in which request forgery is tried."""

# ruff: noqa: N802 - named by Twisted's interfaces

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address as Answer

from crawler.addresses import GuardedResolver, is_public, refusal
from crawler.folder import Clock, Reading, RunFolder
from monitor.config import Config, Rehearsal
from monitor.records import RunRequest, SourceCard
from tests.crawler.conftest import CARD


@pytest.mark.parametrize(
    "url",
    [
        "https://www.fda.gov/drugs",
        "http://alerts.example:8080/x",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        "https://follica.example./",
        "https://internal.example/",
        "https://local.example/",
        "https://xn--bcher-kva.example/",
    ],
)
def test_the_public_web_is_reached(url: str) -> None:
    assert refusal(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://user:pass@127.0.0.1/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://127\u30020\u30020\u30021/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::]/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://134744072/",
        "http://localhost/",
        "http://LOCALHOST:8000/",
        "http://localhost./",
        "http://db.localhost/",
        "http://printer.local/",
        "http://metadata.google.internal/",
        "http://router.lan/",
        "http://intranet/",
        "http:///path",
        "http://alerts.example:0/",
        "http://alerts.example:99999/",
        "http://[alerts.example/",
        "file:///etc/passwd",
        "ftp://alerts.example/",
        "data:text/html,x",
        "gopher://alerts.example/",
        "javascript:alert(1)",
        "//alerts.example/",
        "",
    ],
)
def test_anything_else_is_refused_with_a_reason(url: str) -> None:
    assert refusal(url)


PRIVATE = [
    IPv4Network(network)
    for network in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")
] + [IPv4Network("192.168.0.0/16"), IPv4Network("224.0.0.0/4")]


@given(st.sampled_from(PRIVATE), st.integers(0, 2**32 - 1))
def test_no_writing_of_a_private_address_gets_through(network: IPv4Network, offset: int) -> None:
    address = network[offset % network.num_addresses]
    number = int(address)
    forms = [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(part) for part in address.packed),
        f"[::ffff:{address}]",
        f"[{IPv6Address(b'' + bytes(10) + bytes([255, 255]) + address.packed)}]",
        f"[{IPv6Address(bytes.fromhex('0064ff9b') + bytes(8) + address.packed)}]",
        f"[{IPv6Address(bytes.fromhex('2002') + address.packed + bytes(10))}]",
    ]
    assert [form for form in forms if not refusal(f"http://{form}/")] == []


@given(st.ip_addresses(v=4))
def test_public_is_what_the_registry_says(address: IPv4Address) -> None:
    assert is_public(str(address)) == (address.is_global and not address.is_multicast)


class Inner:
    """A resolver that answers what it is told."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    def resolveHostName(self, receiver: Any, host: str, port: int, *more: Any) -> object:
        receiver.resolutionBegan(object())
        for address in self.addresses:
            receiver.addressResolved(Answer("TCP", address, port))
        receiver.resolutionComplete()
        return object()


class Receiver:
    def __init__(self) -> None:
        self.got: list[str] = []
        self.complete = False

    def resolutionBegan(self, resolution: object) -> None:
        self.got = []

    def addressResolved(self, address: Answer) -> None:
        self.got.append(address.host)

    def resolutionComplete(self) -> None:
        self.complete = True


class Reactor:
    def __init__(self, inner: Inner) -> None:
        self.nameResolver = inner


@pytest.fixture
def reading(tmp_path: Any) -> Reading:
    clock = Clock()
    folder = RunFolder(tmp_path, "xx_test_alerts", clock.start)
    card = SourceCard.model_validate(CARD)
    return Reading(Config(), card, RunRequest(), {}, "live", folder, clock)


def resolve(reading: Reading, *addresses: str, port: int = 443) -> Receiver:
    receiver = Receiver()
    resolver = GuardedResolver(Reactor(Inner(*addresses)), reading)  # type: ignore[arg-type]
    resolver.resolveHostName(receiver, "Shop.example", port)  # type: ignore[arg-type]
    assert receiver.complete
    return receiver


def test_public_answers_are_passed_on(reading: Reading) -> None:
    assert resolve(reading, "93.184.215.14", "93.184.215.15").got == ["93.184.215.14", "93.184.215.15"]
    assert reading.refused == {}


@pytest.mark.parametrize("bad", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_one_private_answer_spoils_all(reading: Reading, bad: str) -> None:
    assert resolve(reading, "93.184.215.14", bad).got == []
    assert reading.refused == {"shop.example": bad}


def test_a_rehearsal_reaches_its_own_server_and_nothing_else(reading: Reading) -> None:
    reading.mode = "rehearsal"
    reading.config = Config(rehearsal=Rehearsal(address="127.0.0.1:8017"))

    assert resolve(reading, "127.0.0.1", port=8017).got == ["127.0.0.1"]
    assert resolve(reading, "127.0.0.1", port=8018).got == []
    assert resolve(reading, "93.184.215.14", port=8017).got == []
