"""Names of sites: which known one may be meant by another."""

from __future__ import annotations

import pytest

from monitor.webname import hosts_like, meant_host

KNOWN = ("kelda.example", "shop.kelda.example", "luma.co.uk", "vesta-labs.com")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("keldo.example", "kelda.example"),
        ("www.kelda.exmple", "kelda.example"),
        ("shp.kelda.example", "shop.kelda.example"),
        ("kelda", "kelda.example"),
        ("lumma.co.uk", "luma.co.uk"),
        ("vestalabs.com", "vesta-labs.com"),
    ],
)
def test_a_name_that_is_written_nearly_so_is_meant(asked: str, meant: str) -> None:
    assert meant_host(asked, KNOWN) == f"; did you mean {meant}?"


@pytest.mark.parametrize("asked", ["brightwater.example", "orla.co.uk", "shop.other.example", "abc.com", ""])
def test_an_ending_in_common_makes_no_two_names_alike(asked: str) -> None:
    assert meant_host(asked, KNOWN) == ""


def test_the_nearest_comes_first() -> None:
    assert hosts_like("kelda.example", KNOWN, 5) == ("kelda.example", "shop.kelda.example")
