"""openFDA's query language and answers, over a list of records held in memory.

After open.fda.gov/apis (query parameters, advanced syntax, dates and ranges, paging). Only what
enforcement queries use: `field:term`, `field:"a phrase"`, `field:(a OR b)`, ranges, AND, OR, grouping.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from crawler.demo.loopback import JSON, Answer, Question

OpenRecord = Mapping[str, Any]
Test = Callable[[OpenRecord], bool]
MAX_LIMIT = 1000
MAX_SKIP = 25000
_TOKEN = re.compile(r'\s*(?:(\()|(\))|"([^"]*)"|\[(\S+)\s+TO\s+(\S+)\]|(AND|OR)\b|([A-Za-z_.]+):|([^\s()":\[\]]+))')
_WORD = re.compile(r"[a-z0-9]+")


class QueryError(Exception):
    """The query cannot be read: openFDA answers 500 and says where."""


def words(value: object) -> list[str]:
    return _WORD.findall(str(value).lower())


def _contains(haystack: Sequence[str], needle: Sequence[str]) -> bool:
    size = len(needle)
    return size > 0 and any(list(haystack[i : i + size]) == list(needle) for i in range(len(haystack) - size + 1))


def _digits(value: object) -> str:
    return str(value).replace("-", "")


class _Parser:
    """Recursive descent. Two expressions side by side are joined by OR, as in openFDA."""

    def __init__(self, query: str) -> None:
        self._tokens = self._split(query)
        self._at = 0

    @staticmethod
    def _split(query: str) -> list[tuple[str, ...]]:
        tokens, position = [], 0
        query = query.rstrip()
        while position < len(query):
            match = _TOKEN.match(query, position)
            if not match:
                raise QueryError(f"Lexical error at line 1, column {position + 1}")
            tokens.append(tuple(group or "" for group in match.groups()))
            position = match.end()
        return tokens

    def parse(self) -> Test:
        test = self._any("")
        if self._at < len(self._tokens):
            raise QueryError("Unexpected closing bracket")
        return test

    def _peek(self) -> tuple[str, ...] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _any(self, field: str) -> Test:
        tests = [self._all(field)]
        while (token := self._peek()) is not None and not token[1]:
            if token[5]:
                self._at += 1
            tests.append(self._all(field))
        return lambda record: any(test(record) for test in tests)

    def _all(self, field: str) -> Test:
        tests = [self._one(field)]
        while (token := self._peek()) is not None and token[5] == "AND":
            self._at += 1
            tests.append(self._one(field))
        return lambda record: all(test(record) for test in tests)

    def _one(self, field: str) -> Test:
        token = self._peek()
        if token is None:
            raise QueryError("Encountered <EOF>")
        self._at += 1
        opening, closing, phrase, low, high, operator, name, term = token
        if closing or operator:
            raise QueryError(f'Encountered "{operator or closing}" where a term was expected')
        if name:
            return self._one(name.removesuffix(".exact"))
        if opening:
            test = self._any(field)
            last = self._peek()
            if last is None or not last[1]:
                raise QueryError("Encountered <EOF>, expected a closing bracket")
            self._at += 1
            return test
        if low:
            return lambda record: _digits(low) <= _digits(record.get(field, "")) <= _digits(high)
        wanted = words(phrase or term)
        return lambda record: any(_contains(words(value), wanted) for value in _values(record, field))


def _values(record: OpenRecord, field: str) -> list[Any]:
    return [record.get(field, "")] if field else list(record.values())


def select(records: Sequence[OpenRecord], query: str) -> list[OpenRecord]:
    """The records that match; all of them for an empty query. Raises QueryError."""
    if not query.strip():
        return list(records)
    if query.count('"') % 2:
        raise QueryError('Lexical error.  Encountered: <EOF> after : "\\""')
    test = _Parser(query).parse()
    return [record for record in records if test(record)]


def error(status: int, code: str, message: str, details: str = "") -> Answer:
    body = {"code": code, "message": message} | ({"details": details} if details else {})
    return Answer(json.dumps({"error": body}, indent=2), status=status, content_type=JSON)


def not_found() -> Answer:
    return error(404, "NOT_FOUND", "No matches found!")


def answer(question: Question, records: Sequence[OpenRecord], meta: Mapping[str, Any]) -> Answer:
    """One page of matching records in openFDA's shape, with its `Link` header where more follow.

    `meta`: what the answer's `meta` says besides how many results there are.
    """
    form = question.form
    limit, skip = _number(form.get("limit"), 1), _number(form.get("skip"), 0)
    if limit > MAX_LIMIT:
        return error(400, "BAD_REQUEST", f"Limit cannot exceed {MAX_LIMIT} results for search requests.")
    if skip > MAX_SKIP:
        return error(400, "BAD_REQUEST", f"Skip value must {MAX_SKIP} or less.")
    try:
        found = select(records, form.get("search", ""))
    except QueryError as problem:
        return error(500, "SERVER_ERROR", "Check your request and try again", f"[token_mgr_error] {problem}")
    if sort := form.get("sort", ""):
        field, _, direction = sort.partition(":")
        if not any(field in record for record in records):
            return error(400, "BAD_REQUEST", f"Sorting allowed by non-analyzed fields only: {field}")
        found.sort(key=lambda record: _digits(record.get(field, "")), reverse=direction == "desc")
    start = _offset(form.get("search_after", "")) or skip
    page = found[start : start + limit]
    if not page:
        return not_found()
    return _page(question, page, start, limit, len(found), meta)


def _page(
    question: Question, page: list[OpenRecord], start: int, limit: int, total: int, meta: Mapping[str, Any]
) -> Answer:
    counted = {**meta, "results": {"skip": start, "limit": limit, "total": total}}
    headers = {"x-ratelimit-limit": "240", "x-ratelimit-remaining": "239", "Cache-Control": "no-cache, no-store"}
    if start + limit < total:
        kept = [(key, value) for key, value in question.form.items() if key not in ("skip", "search_after")]
        token = base64.urlsafe_b64encode(str(start + limit).encode()).decode().rstrip("=")
        pairs = [*kept, ("skip", "0"), ("search_after", f"0={token}")]
        query = "&".join(f"{quote(key)}={quote(value)}" for key, value in pairs)
        headers["Link"] = f'<{question.origin}{question.path}?{query}>; rel="next"'
    body = json.dumps({"meta": counted, "results": page}, indent=2, ensure_ascii=False)
    return Answer(body, content_type="application/json; charset=utf-8", headers=headers)


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isdigit() else otherwise


def _offset(search_after: str) -> int:
    token = search_after.partition("=")[2]
    return int(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))) if token else 0
