"""Languages in Latin letters that share most of them: told apart, and read by the right words."""

import pytest

from monitor.classify.language import language, languages
from monitor.classify.scan import scanner
from monitor.folding import fold
from monitor.knowledge import load
from monitor.reading.text import read_html, read_text

SPOKEN = [
    ("sv", "Vi erbjuder behandling av leder och hud på vår klinik, och du är välkommen att boka en tid hos oss."),
    ("da", "Vi tilbyder behandling af led og hud på vores klinik, og du er velkommen til at bestille en tid."),
    (
        "no",
        "Vi tilbyr behandling av ledd og hud på klinikken, og du er velkommen til å bestille time hos oss etter jul.",
    ),
    ("cs", "Na naší klinice nabízíme ošetření kloubů i pleti, které můžete objednat přes formulář nebo po telefonu."),
    (
        "sk",
        "Na našej klinike ponúkame ošetrenie kĺbov aj pleti, ktoré si môžete objednať cez formulár alebo telefonicky.",
    ),
    ("ro", "În clinica noastră oferim tratamente pentru articulații și piele, iar programările se fac prin telefon."),
    (
        "hu",
        "Rendelőnkben ízületi és bőrkezeléseket kínálunk, időpont telefonon vagy az űrlapon lehet kérni, ingyen.",
    ),
    ("vi", "Phòng khám của chúng tôi có nhiều dịch vụ cho da và khớp, vui lòng gọi điện để đặt lịch hẹn với bác sĩ."),
    (
        "id",
        "Klinik kami melayani perawatan kulit dan sendi untuk pasien, karena itu buatlah janji dengan dokter.",
    ),
    (
        "ms",
        "Klinik kami menawarkan rawatan kulit dan sendi bagi pesakit, kerana itu buat janji dengan doktor.",
    ),
    ("fi", "Eksosomit ovat hoito, joka auttaa ihoa ja hiuksia ilman leikkausta, ja se on tehty kuten ennen."),
    ("hr", "Egzosomi su tretman koji obnavlja kožu, a nakon zahvata nije potrebno mirovanje jer nema rane."),
    ("lt", "Egzosomos yra procedūra, kuri atkuria odą ir plaukus, o po jos nereikia jokio poilsio."),
    ("tl", "Ang exosome therapy ay para sa balat at buhok, at hindi na kailangan ng operasyon."),
]
OTHERS = [
    (
        "en",
        "Dr. Dvořák and Ms. Åse Løvås of our clinic treat the joints and the skin of patients from Győr.",
    ),
    (
        "de",
        "Unsere Ärztin Frau Ångström behandelt die Gelenke und die Haut der Patienten, die aus Malmö zu uns kommen.",
    ),
    ("fr", "Le docteur Nguyễn et son équipe soignent les articulations et la peau des patients qui viennent de Brno."),
    ("pl", "Doktor Jiří Novák leczy stawy i skórę u pacjentów, którzy przyjeżdżają do nas z Czech i ze Słowacji."),
    ("pt", "O doutor Szabó trata as articulações e a pele dos pacientes que chegam do interior, sem cirurgia."),
]


def _language(text: str) -> str:
    return language(read_text(text), fold(text).text)


@pytest.mark.parametrize(("lang", "text"), SPOKEN)
def test_a_paragraph_tells_its_language(lang: str, text: str) -> None:
    assert _language(text) == lang


@pytest.mark.parametrize(("lang", "text"), OTHERS)
def test_names_with_letters_of_another_language_change_nothing(lang: str, text: str) -> None:
    assert _language(text) == lang


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("cs", "Vypadávání vlasů řeší exosomy"),
        ("hu", "Őssejt és bőrmegújítás"),
        ("da", "Slidgigt på højt plan i København"),
    ],
)
def test_a_few_words_are_told_by_their_letters(lang: str, text: str) -> None:
    assert _language(text) == lang


@pytest.mark.parametrize(
    ("declared", "lang"), [("nb-NO", "no"), ("nn", "no"), ("in", "id"), ("iw", "he"), ("sv-SE", "sv")]
)
def test_old_and_close_codes_are_one_language(declared: str, lang: str) -> None:
    page = read_html(f'<html lang="{declared}"><body><p>Exosome</p></body></html>')
    assert language(page, fold(page.text).text) == lang


@pytest.mark.parametrize(("spoken", "read"), [("no", "da"), ("sk", "cs"), ("ms", "id")])
def test_a_language_without_words_is_read_by_a_close_one(spoken: str, read: str) -> None:
    assert languages(spoken, "exosom") == {spoken, read, "en"}
    assert languages(read, "exosom") == {read, "en"}


def test_thai_on_an_english_page_is_read() -> None:
    assert "th" in languages("en", fold("Exosome therapy เอ็กโซโซม in Bangkok").text)


@pytest.mark.parametrize(
    ("lang", "text"),
    [("pl", "Ministerstwo i urząd piszą o egzosomach."), ("it", "I medici parlano di esosomi.")],
)
def test_a_small_word_is_not_the_i_of_english(lang: str, text: str) -> None:
    folded = fold(text).text
    assert not [hit for hit in scanner(load(), languages(lang, folded)).hits(folded) if hit.name == "first_person"]
