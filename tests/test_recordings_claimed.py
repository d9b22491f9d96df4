"""Every recording beside this checkout is read by some test: what shows a trap must not lie there unread."""

from __future__ import annotations

import ast
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

import pytest

from tests.samples import samples

TESTS = Path(__file__).parent
CLAIMS = {
    "us/clinicaltrials/*.json": ("crawler/test_registries.py", "test_the_recorded_answers_are_read"),
    "us/clinicaltrials/search_phelan_*.json": (
        "crawler/test_registries.py",
        "test_the_recorded_pages_say_their_total_on_the_first_only",
    ),
    "us/commoncrawl/c*": ("crawler/test_commoncrawl.py", "test_recorded_answers_are_read"),
    "us/commoncrawl/whirlwind.warc*": ("monitor/discovery/test_sweep.py", "test_recorded_archives_are_read"),
    "us/europepmc/*.json": ("crawler/test_literature.py", "test_the_recorded_answers_of_europe_pmc_are_read"),
    "us/fda_bot_block/apology_404.html": ("crawler/test_sources_recorded.py", "test_the_recorded_apology_is_a_block"),
    "us/fda_import_alerts/*.html": ("crawler/test_us_fda.py", "test_recorded_import_alerts_are_read"),
    "us/fda_recalls/*.json": ("crawler/test_us_fda.py", "test_recorded_recalls_are_read"),
    "us/fda_recalls/*.html": ("crawler/test_us_fda.py", "test_the_recorded_announcement_is_read"),
    "us/fda_rss/*.xml": ("crawler/test_generic_feed.py", "test_the_recorded_feed_of_fda"),
    "us/fda_untitled_letters/*.html": (
        "crawler/test_us_fda_letters.py",
        "test_the_recorded_list_of_untitled_letters_is_read",
    ),
    "us/fda_warning_letters/pages/*.html": ("crawler/test_sources_recorded.py", "test_all_recorded_letters_are_read"),
    "us/fda_warning_letters/*.csv": ("crawler/test_sources_recorded.py", "test_the_recorded_list_is_read_row_by_row"),
    "us/fda_warning_letters/listing-ajax.shape.json": (
        "crawler/test_sources_recorded.py",
        "test_the_recorded_shape_of_the_list_is_read",
    ),
    "us/fda_warning_letters/listing-excerpt.html": (
        "crawler/test_recorded_traps.py",
        "test_fdas_times_are_days_of_its_own_zone",
    ),
    "us/fda_warning_letters/citra100mg-*.html": (
        "crawler/test_recorded_traps.py",
        "test_a_letter_without_its_metadata_is_not_half_read",
    ),
    "us/fda_warning_letters/dynamic-*.txt": (
        "crawler/test_recorded_traps.py",
        "test_a_letter_names_the_site_that_it_is_about_and_fdas_own_sites_are_none",
    ),
    "us/federal_register/*.json": ("crawler/test_us_federal_register.py", "test_recorded_answers_are_read"),
    "us/ftc/*.html": ("crawler/test_us_ftc.py", "test_recorded_letters_are_read"),
    "us/openfda/fields_cosmeticevent.yaml": (
        "crawler/test_us_openfda.py",
        "test_every_field_of_cosmetic_events_that_is_read_is_one_that_fda_describes",
    ),
    "us/openfda/fields_*enforcement.yaml": (
        "crawler/test_recorded_traps.py",
        "test_every_field_of_enforcement_reports_that_is_read_is_one_that_fda_describes",
    ),
    "us/openfda/official_example_*_enforcement.json": (
        "crawler/test_sources_recorded.py",
        "test_openfdas_own_examples_are_read",
    ),
    "us/openfda/official_example_*_event.json": (
        "crawler/test_us_openfda.py",
        "test_openfdas_own_examples_of_events_are_read",
    ),
    "us/openfda/vcr_http_errors.yml": (
        "crawler/test_sources_recorded.py",
        "test_openfdas_recorded_errors_behave_as_documented",
    ),
    "us/openfda/vcr_paging.yml": ("crawler/test_us_openfda.py", "test_recorded_applications_are_read"),
    "us/pubmed/*.json": (
        "crawler/test_literature.py",
        "test_the_recorded_searches_show_the_dropped_phrase_and_the_limit",
    ),
    "us/pubmed/efetch_*.xml": ("crawler/test_literature.py", "test_the_recorded_paper_is_read"),
    "us/purple_book/*.csv": ("crawler/test_us_fda_purple_book.py", "test_the_recorded_book_is_read"),
    "us/shopify/products.json": ("crawler/market/test_catalogues.py", "test_the_recorded_products_of_a_shop_are_read"),
    "us/shopify/scrapfly_collection.json": (
        "crawler/market/test_catalogues.py",
        "test_a_recorded_collection_of_products_is_read_as_a_shop_would_give_it",
    ),
    "us/shopify/scrapfly_preflight.json": (
        "crawler/market/test_catalogues.py",
        "test_recorded_preflights_have_the_outcome_that_was_recorded",
    ),
    "us/woocommerce/*.json": (
        "crawler/market/test_catalogues.py",
        "test_the_official_example_of_a_woocommerce_shop_is_read",
    ),
    "world/canada_hc/*.json": ("crawler/test_sources_recorded.py", "test_health_canadas_recorded_entries_are_read"),
    "world/eu_safety_gate/*.xml": ("crawler/test_world_safety_gate.py", "test_the_recorded_report_is_read"),
    "world/fr_ansm/*.xml": ("crawler/test_generic_feed.py", "test_the_recorded_feed_of_ansm"),
    "world/uk_govuk/content_api_*.json": ("crawler/test_world_govuk.py", "test_the_recorded_documents_are_read"),
    "world/uk_govuk/finder_schema_*.json": (
        "crawler/test_world_govuk.py",
        "test_the_recorded_finders_know_the_types_and_filters_that_the_cards_use",
    ),
    "world/uk_govuk/drug-device-alerts_atom_TRANSCRIBED.xml": (
        "crawler/test_world_govuk.py",
        "test_the_recorded_feed_names_documents_by_the_same_path",
    ),
}
"""Recordings → the test that reads them and asserts the trap that they show."""


@lru_cache
def functions_of(module: str) -> dict[str, str]:
    """Name → source of each test function of a module, with the decorators that give it its parameters."""
    text = (TESTS / module).read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            decorators = "\n".join(ast.get_source_segment(text, one) or "" for one in node.decorator_list)
            found[node.name] = f"{decorators}\n{ast.get_source_segment(text, node) or ''}"
    return found


def test_every_recording_is_claimed_by_a_test() -> None:
    root = samples("us").parent
    files = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file()]
    recordings = [name for name in files if not name.endswith("PROVENANCE.txt")]

    unread = [name for name in recordings if not any(fnmatch(name, pattern) for pattern in CLAIMS)]

    assert len(recordings) > 100
    assert not unread, f"no test reads these; write one, and name it in {Path(__file__).name}: {unread}"


def test_no_claim_is_about_nothing() -> None:
    root = samples("us").parent

    assert [pattern for pattern in CLAIMS if not list(root.glob(pattern))] == []


@pytest.mark.parametrize(("pattern", "claim"), CLAIMS.items(), ids=CLAIMS)
def test_a_claim_names_a_test_that_asserts(pattern: str, claim: tuple[str, str]) -> None:
    module, name = claim
    functions = functions_of(module)

    assert name in functions, f"{module} has no test {name}; who reads {pattern} now?"
    called = [source for helper, source in functions.items() if f"{helper}(" in functions[name] or helper == name]
    folder = pattern.split("/")[1]
    assert any(folder in source for source in called), f"{name} opens nothing of {folder}"
    assert any(word in functions[name] for word in ("assert ", "pytest.raises"))
