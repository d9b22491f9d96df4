"""Names that differ by legal form are one organisation; hosts tie pages to it, but not hosts that everyone shares."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from monitor.organisations import (
    add_alias,
    by_host,
    find_or_make,
    fold_name,
    host_of,
    is_own_host,
    names_in,
    registrable,
)
from monitor.tables.db import transaction

AT = datetime(2026, 11, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kelda Labs, LLC", "KELDA LABS"),
        ("Kelda Labs L.L.C.", "Kelda Labs Inc."),
        ("Clínica Brae, S.L.", "Clinica Brae"),
        ("Brae GmbH & Co. KG", "Brae"),
    ],
)
def test_legal_forms_and_accents_make_no_difference(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


def test_a_name_made_of_legal_forms_only_is_still_a_name() -> None:
    assert fold_name("Limited Company") != ""


@given(st.text(max_size=60))
def test_folding_is_stable(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)


def test_a_trading_name_is_a_name() -> None:
    assert names_in("Kelda Holdings, LLC d/b/a Kelda Cells") == ("Kelda Holdings, LLC", "Kelda Cells")


def test_hosts() -> None:
    assert host_of("https://www.Shop.Kelda.example/x") == "shop.kelda.example"
    assert host_of("kelda.example/path") == "kelda.example"
    assert registrable("shop.kelda.co.uk") == "kelda.co.uk"
    assert is_own_host("kelda.example")
    assert not is_own_host("www.instagram.com")
    assert not is_own_host("www.fda.gov")
    assert not is_own_host("localhost")


def test_one_organisation_under_its_names_and_hosts(engine: Engine) -> None:
    with transaction(engine) as session:
        first = find_or_make(session, "Kelda Holdings, LLC d/b/a Kelda Cells", AT, basis="letter")
        again = find_or_make(session, "KELDA CELLS", AT, basis="page")
        other = find_or_make(session, "Brae Clinic", AT, basis="page")
        add_alias(session, first, "host", "kelda.example", "quoted in a letter")
        add_alias(session, first, "host", "kelda.example", "quoted in a letter")

        assert again.id == first.id
        assert other.id != first.id
        assert by_host(session, "shop.kelda.example") is first
        assert by_host(session, "brae.example") is None
