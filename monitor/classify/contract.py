"""`exowatch judge` line by line: JSON objects in, judgements out, in order; a bad line never stops the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from monitor.classify.judge import judge
from monitor.classify.shapes import Query
from monitor.knowledge import Knowledge

_FIELDS = {"id": str, "html": str, "text": str, "url": str, "lang": str, "jurisdictions": list, "product_context": bool}


def parse_query(line: str) -> Query:
    """One input line. Raises ValueError saying what is wrong and what to give."""
    try:
        raw: Any = json.loads(line)
    except (ValueError, RecursionError) as flaw:
        raise ValueError(f"not JSON ({flaw}); give one JSON object a line") from None
    if not isinstance(raw, dict):
        raise ValueError(f"a JSON {type(raw).__name__}; give one JSON object a line")
    if isinstance(raw.get("id"), int) and not isinstance(raw["id"], bool):
        raw["id"] = str(raw["id"])
    for name, kind in _FIELDS.items():
        value = raw.get(name)
        if value is not None and not isinstance(value, kind):
            raise ValueError(f"{name} is a {type(value).__name__}; give a {kind.__name__}")
    if raw.get("id") is None:
        raise ValueError("no id; give each line its own")
    if (raw.get("html") is None) == (raw.get("text") is None):
        raise ValueError("give either html or text, not both and not neither")
    codes = raw.get("jurisdictions")
    if codes is not None and not all(isinstance(code, str) and code for code in codes):
        raise ValueError("jurisdictions holds something that is no code; give codes such as us or uk")
    return Query(
        id=raw["id"],
        html=raw.get("html"),
        text=raw.get("text"),
        url=raw.get("url") or "",
        lang=raw.get("lang") or "",
        jurisdictions=None if codes is None else tuple(code.lower() for code in codes),
        product_context=bool(raw.get("product_context")),
    )


def judge_lines(lines: Iterable[str], knowledge: Knowledge, with_text: bool = False) -> Iterator[tuple[str, bool]]:
    """(output line, whether it could be judged) for each line that is not blank."""
    for line in lines:
        if not line.strip():
            continue
        try:
            query = parse_query(line)
            answer = judge(query, knowledge).to_json(with_text=with_text)
        except ValueError as flaw:
            yield json.dumps({"id": _id(line), "error": str(flaw)}, ensure_ascii=False), False
            continue
        yield json.dumps(answer, ensure_ascii=False), True


def _id(line: str) -> str | None:
    """The id of a line that could not be judged, where it can be told."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return str(raw["id"]) if isinstance(raw, dict) and raw.get("id") is not None else None
