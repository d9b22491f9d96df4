"""Time stamps (RFC 3161) of an authority of our own on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.evidence.stamps import StampError, ask, check, read, read_roots
from tests.loopback import Loopback, loopback
from tests.monitor.authority import AT, Authority

DATA = b'{"number":1}'


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def web(authority: Authority) -> Iterator[Loopback]:
    authority.spoil = ""
    with loopback() as web:
        web.routes["/tsa"] = authority.answer
        yield web


def test_a_stamp_is_given_and_holds(web: Loopback, authority: Authority) -> None:
    roots = [authority.root]
    der = ask(f"http://{web.address}/tsa", DATA, roots)

    stamp = check(der, DATA, roots)
    assert (stamp.at, stamp.by) == (AT, "CN=Stamps of Tests")
    assert read(der, DATA) == stamp
    (asked,) = web.asked
    assert asked.headers["Content-Type"] == "application/timestamp-query"
    assert DATA not in asked.body  # its digest alone leaves the machine


def test_a_stamp_for_something_else_or_of_somebody_else_does_not_hold(web: Loopback, authority: Authority) -> None:
    der = ask(f"http://{web.address}/tsa", DATA, [authority.root])

    with pytest.raises(StampError, match="something else"):
        check(der, DATA + b" ", [authority.root])
    with pytest.raises(StampError, match="no trusted root"):
        check(der, DATA, [Authority().root])
    with pytest.raises(StampError, match="none is given"):
        check(der, DATA, [])


def test_every_altered_byte_of_a_stamp_is_found(web: Loopback, authority: Authority) -> None:
    der = ask(f"http://{web.address}/tsa", DATA, [authority.root])
    held = []
    for place in range(len(der)):
        altered = bytearray(der)
        altered[place] ^= 1
        try:
            check(bytes(altered), DATA, [authority.root])
        except StampError:
            continue
        held.append(place)
    # What CMS does not sign: versions, the names of algorithms, and the parameters beside them.
    assert len(held) < 25, held


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("status", r"refused \(status 2: closed today\)"),
        ("no stamp", "no answer of a time-stamping authority"),
        ("imprint", "something else"),
        ("nonce", "another request"),
    ],
)
def test_a_bad_answer_is_named(web: Loopback, authority: Authority, spoil: str, told: str) -> None:
    authority.spoil = spoil
    with pytest.raises(StampError, match=told):
        ask(f"http://{web.address}/tsa", DATA, [authority.root])


def test_an_authority_that_is_down_is_named(web: Loopback, authority: Authority) -> None:
    with pytest.raises(StampError, match=r"/nowhere: gave no time stamp \(HTTP Error 404"):
        ask(f"http://{web.address}/nowhere", DATA, [authority.root])


def test_roots_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    with pytest.raises(StampError, match=r"roots\.pem: No such file"):
        read_roots(path)
    path.write_text("hello")
    with pytest.raises(StampError, match="holds no PEM certificates"):
        read_roots(path)
