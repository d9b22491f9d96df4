"""What holds for every shipped card that a generic reader reads."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from crawler.fixtures import TO_FILL, differences
from crawler.generic.entries import EntryOptions
from crawler.source import CARDS as FOLDER
from crawler.source import load_cards, spider_module
from monitor.records import SourceCard
from tests.crawler.source_fixtures import FIXTURES

CARDS = {card.id: card for card in load_cards().values() if card.spider.startswith("generic.")}
NAMED = {
    *("jp_mhlw_news", "jp_pmda_news_en", "jp_pmda_news_ja", "br_anvisa_news", "br_anvisa_irregular", "kr_mfds_letters"),
    *("kr_mfds_notices", "kr_mfds_press", "fr_ansm_news", "au_tga_alerts", "au_tga_media", "de_bfarm_news"),
    *("at_basg_news", "eu_eurlex_journal", "eu_ec_health_news", "sg_hsa_announcements", "sa_sfda_news"),
    *("ar_anmat_alerts", "ie_hpra_news", "ch_swissmedic_updates", "cn_nmpa_news", "in_cdsco_alerts"),
    *("pt_infarmed_alerts", "eu_sccs_opinions", "it_aifa_defects", "fr_rappelconso_recalls", "tw_tfda_alerts"),
    *("un_who_alerts", "us_fda_press_releases_feed", "us_fda_medwatch_feed", "us_fda_recalls_feed"),
}


def options_of(card: SourceCard) -> EntryOptions:
    options = spider_module(card).Options.model_validate(card.options)
    assert isinstance(options, EntryOptions)
    return options


def test_the_catalogues_generic_sources_have_cards() -> None:
    assert set(CARDS) >= NAMED


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_card_and_its_fixture_agree_and_nothing_is_left_to_fill_in(card: SourceCard) -> None:
    assert TO_FILL not in (FOLDER / f"{card.id}.yaml").read_text(encoding="utf-8")
    assert differences(card, FIXTURES / card.id) == []


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_card_reads_words_of_its_own_language(card: SourceCard) -> None:
    options = options_of(card)

    assert card.terms_of_use
    assert not options.terms or card.language in options.terms
    assert card.id not in NAMED or options.terms or options.words, "the whole list would be kept"


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_host_is_asked_as_seldom_as_it_wishes(card: SourceCard) -> None:
    least = {"www.fda.gov": 30, "www.ema.europa.eu": 3}.get(urlsplit(card.start).hostname or "", 2)

    assert card.pace.delay >= least
    assert card.pace.daily_requests is not None


def test_the_same_item_of_ansm_in_two_feeds_is_one_notice() -> None:
    card = CARDS["fr_ansm_news"]

    assert options_of(card).also == ("https://ansm.sante.fr/rss/actualites",)
    assert options_of(card).empty_ok, "its channels are empty on quiet days"
