"""What changed between two versions of a page, and what only flickers."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.reading.differences import Difference, Piece, between, compare, words_between
from monitor.reading.flicker import PASSING, Part, is_passing, parts_of, same_but_for_flicker, steady
from monitor.reading.text import read_html

ANY = st.text(max_size=40)
BLOCKS = st.lists(
    st.one_of(ANY, st.sampled_from(["serum", "Our serum 再生 hair", "مصل الشعر", "5 reviews"])), max_size=12
)


def parts(texts: list[str]) -> list[Part]:
    return [Part(text) for text in texts]


def told(pieces: tuple[Piece, ...]) -> str:
    marks = {"same": "{}", "removed": "[-{}-]", "inserted": "{{+{}+}}"}
    return "".join(marks[piece.kind].format(piece.text) for piece in pieces)


def without(pieces: tuple[Piece, ...], kind: str) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != kind)


def applied(old: list[str], difference: Difference) -> Counter[str]:
    """The blocks of the new version, as the old one and the difference give them."""
    blocks = Counter(map(steady, old))
    for change in difference.changes:
        if change.kind != "added":
            blocks[steady(change.before)] -= 1
        if change.kind != "removed":
            blocks[steady(change.after)] += 1
    return +blocks


@given(BLOCKS, BLOCKS)
def test_the_difference_applied_to_the_old_gives_the_new(old: list[str], new: list[str]) -> None:
    difference = compare(parts(old), parts(new))

    assert applied(old, difference) == Counter(map(steady, new))
    for change in difference.changes:
        assert without(change.pieces, "inserted") == change.before
        assert without(change.pieces, "removed") == change.after
    assert difference.same + difference.of_kind("removed") + difference.of_kind("reworded") == len(old)


@given(BLOCKS, st.randoms())
def test_blocks_in_another_order_are_no_difference(blocks: list[str], shaken: object) -> None:
    turned = list(blocks)
    shaken.shuffle(turned)  # type: ignore[attr-defined]

    assert compare(parts(blocks), parts(turned)).changes == ()


@given(ANY, ANY)
def test_pieces_are_the_old_words_and_the_new(before: str, after: str) -> None:
    pieces = words_between(before, after)

    assert without(pieces, "inserted") == before
    assert without(pieces, "removed") == after
    assert all(piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("It may help hair grow.", "It makes hair grow.", "It [-may help-]{+makes+} hair grow."),
        ("点滴は関節を再生します。", "注射は関節を再生します。", "[-点滴-]{+注射+}は関節を再生します。"),
        ("مصل ينمي الشعر", "مصل يقوي الشعر", "مصل [-ينمي-]{+يقوي+} الشعر"),
        ("เซรั่มช่วยผม", "เซรั่มช่วยผิว", "เซรั่มช่วย[-ผม-]{+ผิว+}"),
        ("1.5 ml of serum", "2.5 ml of serum", "[-1.5-]{+2.5+} ml of serum"),
        ("The brand's serum", "The maker's serum", "The [-brand's-]{+maker's+} serum"),
        ("skin care", "hair repair", "[-skin care-]{+hair repair+}"),
    ],
)  # fmt: skip
def test_differences_word_by_word(before: str, after: str, expected: str) -> None:
    assert told(words_between(before, after)) == expected


def test_a_page_is_compared_block_by_block() -> None:
    old = read_html(
        "<h1>Exosome serum</h1><p>Wakes tired skin.</p><ul><li>Vegan</li><li>Made in May</li></ul><h2>Use</h2>"
        "<p>Two drops every evening on a clean face.</p><p>Not for children.</p>"
    )
    new = read_html(
        "<h1>Exosome serum</h1><ul><li>Made in May</li><li>Vegan</li></ul><p>Wakes tired skin.</p><h2>Use</h2>"
        "<p>Three drops every evening on a clean face.</p><p>Treats arthritis.</p>"
    )
    difference = between(old, new)

    assert [(each.kind, each.block, each.heading_path, told(each.pieces)) for each in difference.changes] == [
        ("reworded", "paragraph", ("Exosome serum", "Use"), "[-Two-]{+Three+} drops every evening on a clean face."),
        ("removed", "paragraph", ("Exosome serum", "Use"), "[-Not for children.-]"),
        ("added", "paragraph", ("Exosome serum", "Use"), "{+Treats arthritis.+}"),
    ]
    assert (difference.same, difference.moved, difference.flickered) == (5, 2, 0)


def test_of_two_possible_sources_the_more_alike_one_is_reworded() -> None:
    difference = compare(
        parts(["Serum with exosomes for tired skin", "Serum with peptides for tired hands"]),
        parts(["Serum with peptides for very tired hands"]),
    )

    assert [(each.kind, each.before) for each in difference.changes] == [
        ("removed", "Serum with exosomes for tired skin"),
        ("reworded", "Serum with peptides for tired hands"),
    ]


@pytest.mark.parametrize(
    ("monday", "tuesday"),
    [
        ("Posted 3 days ago by Ann", "Posted 4 days ago by Ann"),
        ("vor 2 Stunden aktualisiert", "vor einem Tag aktualisiert"),
        ("3日前に更新", "12日前に更新"),
        ("Updated 16 November 2026", "Updated November 17, 2026"),
        ("16/11/2026, 10:12", "17/11/2026, 09:40"),
        ("2026-11-16T10:12:00Z", "2026-11-17T09:40:31+01:00"),
        ("© 2019–2026 Kelda", "© 2019–2027 Kelda"),
        ("12 people are viewing this", "7 people are viewing this"),
        ("Viewed by 31 people today", "Viewed by 25 people today"),
        ("17 practitioners viewed this today", "4 practitioners viewed this today"),
        ("9 people have this in their basket", "24 people have this in their basket"),
        ("12 people booked this week", "30 people booked this week"),
        ("24 personas han visto esta página hoy", "4 personas han visto esta página hoy"),
        ("31 Personen haben das heute angesehen", "5 Personen haben das heute angesehen"),
        ("12 personnes ont consulté cette page", "14 personnes ont consulté cette page"),
        ("7 persone hanno visto questa pagina", "9 persone hanno visto questa pagina"),
        ("22 pessoas viram esta página hoje", "21 pessoas viram esta página hoje"),
        ("23人が購入しました", "40人が購入しました"),
        ("15명이 보고 있습니다", "3명이 보고 있습니다"),
        ("18人正在浏览", "7人正在浏览"),
        ("Only 3 left in stock", "Only 2 left in stock"),
        ("1,204 reviews", "1,207 reviews"),
        ("★ 4.8 (1,204)", "★ 4.9 (1,207)"),
        ("Cart (0)", "Cart (2)"),
        ("Offer ends in 02 days 04 hours", "Offer ends in 01 days 09 hours"),
        ("02:13:45", "01:59:09"),
        ("Visit 3f2a9c77d1b24e0890aa", "Visit 91be0c77d1b24e089f12"),
        ("評価 12件のレビュー", "評価 15件のレビュー"),
        ("Обновлено 16 ноября 2026", "Обновлено 3 декабря 2026"),
        ("2 дня назад", "5 дней назад"),
        ("16 listopadu 2026", "2. prosince 2026"),
        ("3 dagar sedan", "4 dagar sedan"),
        ("3 ngày trước", "5 ngày trước"),
        ("πριν από 3 ημέρες", "πριν 2 ώρες"),
        ("12 dagen geleden", "2 weken geleden"),
        ("14 отзывов", "15 отзывов"),
        ("128 ulasan", "131 ulasan"),
    ],
)
def test_what_flickers_is_no_difference(monday: str, tuesday: str) -> None:
    assert steady(monday) == steady(tuesday)
    assert PASSING in steady(monday)
    assert compare(parts([monday]), parts([tuesday])).changes == ()
    assert compare(parts([monday]), parts([tuesday])).flickered == 1


@pytest.mark.parametrize(
    ("monday", "tuesday"),
    [
        ("$199.00", "$149.00"),
        ("10 billion exosomes per vial", "20 billion exosomes per vial"),
        ("Set 10 ml", "Set 20 ml"),
        ("IV bag 500 ml", "IV bag 250 ml"),
        ("Phase 2 may help", "Phase 3 may help"),
        ("Looks 10 years younger", "Looks 20 years younger"),
        ("Hair grows in 8 weeks", "Hair grows in 2 weeks"),
        ("Approved in 2019", "Approved in 2024"),
        ("Kit (5)", "Kit (10)"),
        ("80 % of patients", "95 % of patients"),
        ("9 of 10 doctors recommend it", "7 of 10 doctors recommend it"),
        ("200 patients saw their hair return", "500 patients saw their hair return"),
        ("Волосы растут через 8 недель", "Волосы растут через 2 недели"),
        ("Ser cu 10 miliarde de exozomi", "Ser cu 20 miliarde de exozomi"),
        ("Yorum: 2 ayda lekelerim açıldı", "Yorum: 3 ayda lekelerim açıldı"),
    ],
)
def test_prices_doses_and_promises_do_not_flicker(monday: str, tuesday: str) -> None:
    assert [change.kind for change in compare(parts([monday]), parts([tuesday])).changes] != []


def test_banners_and_carousels_belong_to_the_visit() -> None:
    page = "<h1>Exosome serum</h1><p>Wakes tired skin.</p>{}<footer>© 2026 Kelda</footer>"
    one = read_html(page.format("<p>We use cookies. Accept all?</p><h2>You may also like</h2><ul><li>Mask</li></ul>"))
    other = read_html(page.format("<h2>You may also like</h2><ul><li>Toner</li><li>Cream</li></ul>"))

    assert same_but_for_flicker(one, other)
    assert not same_but_for_flicker(one, read_html(page.format("<p>Treats arthritis.</p>")))
    assert [part.text for part in parts_of(other)] == ["Exosome serum", "Wakes tired skin.", "© 2026 Kelda"]
    assert not is_passing(Part("Cookies for your skin", "title"))


PIECES = (
    "<h2>You may also like</h2>",
    "<h2>What it does</h2>",
    "<p>Mask</p>",
    "<p>Toner</p>",
    "<ul><li>Mask</li></ul>",
    "<p>Opened on 3 October 2026</p>",
    "<p>Opened on 4 October 2026</p>",
    "<p>We use cookies.</p>",
    "<button>Settings</button>",
)


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.lists(st.sampled_from(PIECES), max_size=8))
def test_only_what_flickers_differs_where_the_steady_words_of_all_parts_are_the_same(
    monday: list[str], tuesday: list[str]
) -> None:
    one, other = read_html("".join(monday)), read_html("".join(tuesday))
    words, other_words = (Counter(steady(part.text) for part in parts_of(document)) for document in (one, other))

    assert same_but_for_flicker(one, other) == (words == other_words)


BANNERS = {
    "en": ("We value your privacy", "Accept all", "Manage preferences", "Strictly necessary"),
    "en device": ("Our partners store or access information on a device.", "Agree", "Learn more →"),
    "en law": ("Do not sell or share my personal information", "OK"),
    "de": ("Wir respektieren Ihre Privatsphäre", "Alle akzeptieren", "Ablehnen", "Statistik", "Schließen"),
    "fr": ("Votre vie privée nous importe.", "Tout refuser", "J’accepte"),
    "es": ("Valoramos tu privacidad", "Aceptar todo", "Configurar"),
    "pt": ("Valorizamos a sua privacidade", "Aceitar tudo", "Recusar"),
    "it": ("Rispettiamo la tua privacy", "Accetta tutti", "Personalizza"),
    "nl": ("Wij waarderen uw privacy", "Alles accepteren", "Weigeren"),
    "pl": ("Szanujemy Twoją prywatność", "Zgadzam się", "Ustawienia"),
    "tr": ("Gizliliğinize önem veriyoruz", "Tümünü kabul et", "Reddet"),
    "ru": ("Мы ценим вашу конфиденциальность", "Принять все", "Настроить"),
    "ja": ("プライバシーを尊重します", "すべて許可", "詳細を見る"),
    "ko": ("개인정보 보호를 소중히 여깁니다", "모두 동의", "거부"),
    "zh": ("我们重视您的隐私", "全部接受", "了解更多"),
    "ar": ("نحن نقدر خصوصيتك", "قبول الكل", "رفض"),
    "uk": ("Ми цінуємо вашу приватність", "Прийняти всі", "Відхилити"),
    "fa": ("ما به حریم خصوصی شما احترام می‌گذاریم", "پذیرش همه", "تنظیمات"),
    "he": ("אנחנו מכבדים את הפרטיות שלך", "קבל הכל", "הגדרות"),
    "el": ("Σεβόμαστε την ιδιωτικότητά σας", "Αποδοχή όλων", "Ρυθμίσεις"),
    "hi": ("हम कुकी का उपयोग करते हैं", "सभी स्वीकार करें", "और जानें"),
    "vi": ("Chúng tôi tôn trọng quyền riêng tư của bạn", "Chấp nhận tất cả", "Từ chối"),
    "th": ("เว็บไซต์นี้ใช้คุกกี้", "ยอมรับทั้งหมด", "ตั้งค่า"),
    "id": ("Kami menghargai privasi Anda", "Terima semua", "Tolak"),
    "sv": ("Vi värnar om din integritet", "Godkänn alla", "Endast nödvändiga"),
    "da": ("Vi respekterer dit privatliv", "Tillad alle", "Kun nødvendige"),
    "cs": ("Vážíme si vašeho soukromí", "Přijmout vše", "Odmítnout"),
    "ro": ("Respectăm confidențialitatea dumneavoastră", "Acceptă tot", "Setări"),
    "hu": ("Tiszteletben tartjuk adatvédelmét", "Összes elfogadása", "Beállítások"),
}


@pytest.mark.parametrize("lang", BANNERS)
def test_a_banner_that_was_added_is_no_other_page(lang: str) -> None:
    title, *buttons = BANNERS[lang]
    page = "{}<h1>Exosome serum</h1><p>Wakes tired skin.</p><h2>Settings</h2><p>Low, high.</p>"
    labels = "".join(f"<button>{each}</button>" for each in buttons)
    with_banner = read_html(page.format(f"<div><h2>{title}</h2>{labels}</div>"))

    assert same_but_for_flicker(read_html(page.format("")), with_banner)
    assert [part.text for part in parts_of(with_banner)] == [
        "Exosome serum",
        "Wakes tired skin.",
        "Settings",
        "Low, high.",
    ]


def test_what_stands_on_a_banner_s_buttons_is_the_page_s_own_elsewhere() -> None:
    page = "<p>We use cookies.</p><p>Wakes tired skin.</p><ul><li>{}</li></ul><p>The donor gives consent.</p>"

    assert not same_but_for_flicker(read_html(page.format("Marketing")), read_html(page.format("Statistics")))
    assert [part.text for part in parts_of(read_html(page.format("Settings")))] == [
        "Wakes tired skin.", "Settings", "The donor gives consent.",
    ]  # fmt: skip


def test_a_claim_in_a_banner_s_place_is_no_banner() -> None:
    page = "<div><h2>We value your privacy</h2><p>{}</p><button>Accept</button></div><h1>Exosome serum</h1>"

    assert not same_but_for_flicker(
        read_html(page.format("Treats arthritis.")), read_html(page.format("Treats arthritis and lupus."))
    )


def test_a_huge_page_is_compared_and_nothing_of_it_is_lost() -> None:
    """Every block worded otherwise, and one block of many words: pairs within a window, that block as a whole."""
    old = [f"Block {number} tells of serum {number * 7919 % 1000} for skin" for number in range(4_000)]
    new = [f"{text} and hair" for text in old]
    difference = compare(parts(old), parts(new))
    assert difference.of_kind("reworded") == 4_000
    assert applied(old, difference) == Counter(map(steady, new))

    long = [" ".join(f"w{number}" for number in range(5_000)), " ".join(f"v{number}" for number in range(5_000))]
    assert [piece.kind for piece in words_between(*long)] == ["removed", "inserted"]
