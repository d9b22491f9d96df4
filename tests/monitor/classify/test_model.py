"""The model's files are what their card says; its vectors are the same every time and take any text."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from monitor.classify import Query, judge
from monitor.classify.encoder import MOST_PIECES
from monitor.classify.laid import arrays_of, laid_out
from monitor.classify.model import (
    CARD,
    ENCODER,
    FOLDER,
    GRAPH,
    HEADS,
    SECOND,
    Readings,
    linear,
    load_encoder,
    load_model,
)
from monitor.classify.weights import PARTS, as_kept, ready, run
from monitor.classify.windows import Stretch
from monitor.knowledge import KnowledgeError, load
from monitor.training.plain import Layer, begun, layers

MODEL = load_model()
KNOWLEDGE = load()


def _stretch(text: str) -> Stretch:
    return Stretch(0, len(text), text, [], "context")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for path in FOLDER.iterdir():
        shutil.copy(path, tmp_path / path.name)
    return tmp_path


@pytest.mark.parametrize("name", [HEADS, SECOND, ENCODER, GRAPH])
def test_a_changed_file_is_refused(copied: Path, name: str) -> None:
    held = bytearray((copied / name).read_bytes())
    held[len(held) // 2] ^= 1
    (copied / name).write_bytes(held)
    with pytest.raises(KnowledgeError, match=f"{name}: its sha256 is"):
        load_model(copied)


@pytest.mark.parametrize("name", [CARD, HEADS, SECOND, ENCODER, GRAPH])
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
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 20_000_000
    assert {path.suffix for path in FOLDER.iterdir()} == {"", ".json", ".npz", ".onnx"}
    assert "MIT" in (FOLDER / "NOTICE").read_text()
    card = json.loads((FOLDER / CARD).read_text())
    assert card["encoder"]["command"] == "python -m monitor.training build"
    assert card["heads"]["measured_on_held_out_texts"]["f1"] > 0.8


def _read(*texts: str) -> Readings:
    stretches = [_stretch(text) for text in texts]
    return MODEL.read(stretches, MODEL.sift(texts), range(len(texts)))


def test_every_word_of_a_text_has_its_place() -> None:
    text = "exosomes calm sore joints\n膝の痛み  haarausfallbehandlungen"
    numbers, places = MODEL.encoder.numbers(text)
    assert len(numbers) == len(places)
    assert "".join(text[first:last] for first, last in places) == "".join(text.split())


def test_a_text_without_words_is_read_too() -> None:
    read = _read("", "  ", "\x00", "we cure arthritis")
    assert np.isfinite(read.claim).all()
    assert [len(marks) for marks in read.marks[:2]] == [0, 0]
    assert MODEL.sift([]).claim.shape == (0,)
    assert MODEL.read([], MODEL.sift([]), []).claim.shape == (0,)


def test_a_long_text_is_read_up_to_its_bound() -> None:
    read = _read("exosomes " * 5_000)
    assert len(read.marks[0]) == MOST_PIECES


def test_readings_are_probabilities() -> None:
    read = _read("", "we cure arthritis with exosomes", "the shop is open today")
    assert ((read.claim >= 0) & (read.claim <= 1)).all()
    assert np.allclose(read.voices.sum(axis=1), 1, atol=1e-5)
    assert read.categories.shape == (3, len(MODEL.heads.categories))
    assert read.claim[1] > read.claim[2]


def test_what_is_read_beside_a_stretch_does_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = _read("we cure arthritis")
    monkeypatch.setattr(MODEL, "_lately", {})
    beside = _read("the shop is open today, and it stays open until late in the evening", "we cure arthritis")
    assert alone.claim[0] == beside.claim[1]
    assert np.array_equal(alone.marks[0], beside.marks[1])


def test_threads_read_as_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"exosomes healed {number} knees, says the clinic" for number in range(24)]
    one = _read(*texts)
    monkeypatch.setattr(MODEL, "_lately", {})
    with ThreadPoolExecutor(4) as pool:
        many = list(pool.map(_read, texts))
    assert [float(read.claim[0]) for read in many] == one.claim.tolist()


def test_eight_bits_read_as_plain_numbers_do() -> None:
    """Log odds of a claim, which spread by five: a few tenths off."""
    with np.load(FOLDER / ENCODER) as held:
        arrays = dict(held)
    texts = ("our exosomes cure arthritis.", "the tram stops at the door", "the agency wrote to a clinic")
    numbers = [MODEL.encoder.numbers(text)[0] for text in texts]
    states = [begun(arrays, one) for one in numbers]
    for number in range(layers(arrays)):
        layer = Layer(arrays, number)
        states = [layer(one)[1] for one in states]
    plain, read = [], []
    for one, told in zip(numbers, states, strict=True):
        looked = np.exp(told @ arrays["look.w"])
        pooled = np.concatenate([told.mean(axis=0), looked @ told / looked.sum()])
        plain.append(linear(pooled, MODEL.heads.weights)[0])
        read.append(linear(MODEL.encoder.read(one).pooled, MODEL.heads.weights)[0])
    assert np.abs(plain).max() > 3
    assert np.allclose(read, plain, atol=0.8)


def test_nothing_is_reported_to_the_maker_of_the_runtime(tmp_path: Path) -> None:
    """Where it reports, ONNX Runtime keeps a number for the device, and what it has not sent, in the home folder."""
    read = "from monitor.classify.model import load_model; load_model().encoder.read([5, 6, 7])"
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    env = {"HOME": str(home), "XDG_CACHE_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", read], check=True, env=env, cwd=FOLDER.parents[2])
    assert list(home.iterdir()) == []
    assert [path.name.partition("-")[0] for path in cache.rglob("*.*")] == ["encoder"]


def test_the_encoder_that_is_kept_is_the_one_that_is_made(
    copied: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made and kept, read again, made anew where it is spoilt, and made alone where it cannot be kept."""
    cache = tmp_path_factory.mktemp("cache") / "exowatch"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    numbers = MODEL.encoder.numbers("our exosomes cure arthritis.")[0]
    told = MODEL.encoder.read(numbers)

    def same() -> None:
        read = load_encoder(copied).read(numbers)
        assert np.array_equal(read.pooled, told.pooled)
        assert np.array_equal(read.marks, told.marks)

    same()
    (path,) = cache.iterdir()
    written = path.stat().st_mtime_ns
    same()
    assert path.stat().st_mtime_ns == written
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    same()
    assert path.stat().st_mtime_ns != written
    shutil.rmtree(cache)
    cache.write_text("a file where the folder should be")
    same()


def test_what_is_kept_of_the_encoder_is_all_that_it_needs() -> None:
    with np.load(FOLDER / ENCODER) as held:
        raw = dict(held)
    kept = arrays_of(memoryview(b"".join(laid_out(ready(raw)))))
    for name in [name for name in raw if not name[0].isdigit()]:
        assert np.array_equal(kept[name], raw[name]), name
    for number in range(layers(raw)):
        made, again = run(raw, number), as_kept(kept, number)
        assert again.keys() == made.keys()
        assert all(np.array_equal(again[name], made[name]) and again[name].dtype == made[name].dtype for name in made)


def test_no_two_neighbours_overflow_sixteen_bits() -> None:
    """Where a processor adds the products of two neighbours in 16 bits: 255 times their sizes must fit."""
    with np.load(FOLDER / ENCODER) as held:
        given = run(held, 3)
    for part in PARTS:
        sizes = np.abs(given[f"{part}.w"].astype(np.int32))
        assert (sizes[0::2] + sizes[1::2]).max() * 255 <= np.iinfo(np.int16).max
        assert sizes.max() > 64


def test_what_is_clearly_no_claim_is_not_read_to_its_end() -> None:
    texts = ["free parking is behind the house, and the tram stops at the door.", "our exosomes cure arthritis."]
    read = [MODEL.encoder.read(MODEL.encoder.numbers(text)[0], MODEL.gives_up) for text in texts]
    assert [one.whole for one in read] == [False, True]
    given_up, claim = _read(*texts).claim
    assert given_up < 0.12 < 0.9 < claim


def test_a_sure_model_is_believed_against_a_word_that_looks_like_a_negation() -> None:
    text = "In fibromyalgia, where everything aches and nothing shows on a scan, exosomes take the pain away."
    assert judge(Query(id="t", text=text), KNOWLEDGE).decision == "flag"
    assert judge(Query(id="t", text="Exosomes do nothing for fibromyalgia."), KNOWLEDGE).decision == "clear"


def test_the_words_of_a_claim_are_marked() -> None:
    text = "our rooms are on the second floor. exosomes heal torn knee cartilage."
    places, marks = MODEL.sift([text]).places[0], _read(text).marks[0]
    marked = [place for place, mark in zip(places, marks, strict=True) if mark >= 0.5]
    quote = text[marked[0][0] : marked[-1][1]]
    assert "torn knee cartilage" in quote
    assert "floor" not in quote


def test_a_claim_that_no_rule_met_is_found_and_said_to_be_the_model_s() -> None:
    text = "Your knees will thank you: after the infusion, stairs are no trouble any more."
    judged = judge(Query(id="m", text=text, product_context=True), KNOWLEDGE)
    own = [claim for claim in judged.findings if claim.rule_id.startswith("model.")]
    assert own
    assert all(claim.rule_id == f"model.{claim.category}" for claim in own)
    assert all("no rule met" in claim.why and MODEL.digest in claim.why for claim in own)
    assert all(text[claim.start : claim.end] == claim.quote for claim in own)


def test_what_no_rule_met_is_found_beside_what_one_did() -> None:
    text = "Exosomes treat arthritis. Since the infusion my husband climbs the stairs without his stick."
    judged = judge(Query(id="b", text=text), KNOWLEDGE)
    ruled, own = judged.findings
    assert (ruled.quote, ruled.rule_id) == ("Exosomes treat arthritis.", "disease.act_condition")
    assert "climbs the stairs" in own.quote
    assert "arthritis" not in own.statement.text
    assert own.rule_id.startswith("model.")
    assert "no rule met these words" in own.why


@pytest.mark.parametrize(
    "text", ["Our clinic welcomes you.", "Free parking is behind the house.", "Home, prices, contact"]
)
def test_plain_sentences_of_a_page_are_no_claims(text: str) -> None:
    assert judge(Query(id="p", text=text, product_context=True), KNOWLEDGE).decision == "clear"


def test_the_model_finds_nothing_where_a_sentence_denies() -> None:
    judged = judge(Query(id="n", text="Exosomes do not treat arthritis.", product_context=True), KNOWLEDGE)
    assert judged.findings == ()
    assert {claim.status for claim in judged.dropped} == {"negated"}
