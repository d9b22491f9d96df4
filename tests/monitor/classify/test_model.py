"""The model's files are what their card says; its vectors are the same every time and take any text."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from monitor.classify import Query, judge
from monitor.classify.model import CARD, FOLDER, HEADS, SECOND, VECTORS, load_model
from monitor.classify.signs import Stretch
from monitor.classify.vectors import WordVectors
from monitor.knowledge import KnowledgeError, load

MODEL = load_model()
KNOWLEDGE = load()


def _stretch(text: str) -> Stretch:
    return Stretch(0, len(text), text, [], [], "context", "unknown")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for path in FOLDER.iterdir():
        shutil.copy(path, tmp_path / path.name)
    return tmp_path


@pytest.mark.parametrize("name", [HEADS, SECOND, VECTORS])
def test_a_changed_file_is_refused(copied: Path, name: str) -> None:
    held = bytearray((copied / name).read_bytes())
    held[len(held) // 2] ^= 1
    (copied / name).write_bytes(held)
    with pytest.raises(KnowledgeError, match=f"{name}: its sha256 is"):
        load_model(copied)


@pytest.mark.parametrize("name", [CARD, HEADS, SECOND, VECTORS])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(KnowledgeError, match=f"{name}: cannot be read"):
        load_model(copied)


def test_a_card_that_lacks_a_part_is_refused(copied: Path) -> None:
    card = json.loads((copied / CARD).read_text())
    del card["voices"]
    (copied / CARD).write_text(json.dumps(card))
    with pytest.raises(KnowledgeError, match="does not fit its card"):
        load_model(copied)


def test_the_model_is_small_credited_and_without_pickles() -> None:
    assert sum((FOLDER / name).stat().st_size for name in (VECTORS, HEADS)) <= 20_000_000
    assert {path.suffix for path in FOLDER.iterdir()} == {"", ".json", ".npz"}
    assert "CC BY-SA 4.0" in (FOLDER / "NOTICE").read_text()
    card = json.loads((FOLDER / CARD).read_text())
    assert card["vectors"]["command"] == "python -m monitor.training build"
    assert card["heads"]["measured_on_held_out_folds"]["f1"] > 0.7


def test_vectors_are_the_same_every_time_and_of_length_one() -> None:
    texts = ["exosomes calm sore joints", "エクソソームで膝の痛みを和らげる", "haarausfallbehandlungen"]
    first, second = MODEL.vectors.texts(texts), MODEL.vectors.texts(texts[::-1])[::-1]
    assert np.array_equal(first, second)
    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)


def test_texts_without_a_known_word_have_no_direction() -> None:
    assert not MODEL.vectors.texts(["", "  ", "!?…", "\x00"]).any()
    assert MODEL.vectors.texts([]).shape == (0, MODEL.vectors.size)


def test_unknown_words_are_read_by_their_pieces() -> None:
    vectors = WordVectors(["heal", "joint", "痛"], np.eye(3, dtype=np.int8), np.ones(3, np.float32))
    assert vectors.pieces("heal") == (0,)
    assert vectors.pieces("healing") == (0,)
    assert vectors.pieces("jointheal") == (1, 0)
    assert vectors.pieces("膝痛") == (2,)
    assert vectors.pieces("zzz") == ()


def test_words_and_vectors_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 words, 1 vectors"):
        WordVectors(["one", "two"], np.zeros((1, 3), np.int8), np.ones(1, np.float32))


def test_words_of_one_meaning_are_near_in_any_language() -> None:
    arthritis, artrosis, parking = MODEL.vectors.texts(["arthritis", "artritis", "parking"])
    assert arthritis @ artrosis > 0.5 > arthritis @ parking


def test_readings_are_probabilities() -> None:
    read = MODEL.read([_stretch(text) for text in ("", "we cure arthritis", "the shop is open today")])
    assert ((read.claim >= 0) & (read.claim <= 1)).all()
    assert np.allclose(read.voices.sum(axis=1), 1, atol=1e-5)
    assert read.categories.shape == (3, len(MODEL.heads.categories))
    assert read.claim[1] > read.claim[2]


def test_what_is_read_beside_a_stretch_does_not_change_it() -> None:
    alone = MODEL.read([_stretch("we cure arthritis")])
    beside = MODEL.read([_stretch("the shop is open today"), _stretch("we cure arthritis")])
    assert np.allclose(alone.claim[0], beside.claim[1], atol=1e-3)


def test_a_claim_that_no_rule_met_is_found_and_said_to_be_the_model_s() -> None:
    text = "Your knees will thank you: after the infusion, stairs are no trouble any more."
    judged = judge(Query(id="m", text=text, product_context=True), KNOWLEDGE)
    own = [claim for claim in judged.findings if claim.rule_id.startswith("model.")]
    assert own
    assert all(claim.rule_id == f"model.{claim.category}" for claim in own)
    assert all("no rule met" in claim.why and MODEL.digest in claim.why for claim in own)
    assert all(text[claim.start : claim.end] == claim.quote for claim in own)


@pytest.mark.parametrize(
    "text", ["Our clinic welcomes you.", "Free parking is behind the house.", "Home, prices, contact"]
)
def test_plain_sentences_of_a_page_are_no_claims(text: str) -> None:
    assert judge(Query(id="p", text=text, product_context=True), KNOWLEDGE).decision == "clear"


def test_the_model_finds_nothing_where_a_sentence_denies() -> None:
    judged = judge(Query(id="n", text="Exosomes do not treat arthritis.", product_context=True), KNOWLEDGE)
    assert judged.findings == ()
    assert {claim.status for claim in judged.dropped} == {"negated"}
