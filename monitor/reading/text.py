"""A page as text that can be cited: blocks with heading paths, every one a slice of one canonical text.

Nothing visible is thrown away; what a reader cannot see (script, style, template) is not text. No I/O.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.folding import Folded, fold
from monitor.reading.marks import Marks, json_ld_blocks, may_tell
from monitor.reading.markup import (
    BLANK,
    CELL,
    ROW,
    Act,
    Element,
    IrregularError,
    Places,
    Shown,
    Step,
    Walk,
    asked_for_attributes,
    element,
    plain,
    texts,
    without_unread,
)

__all__ = ["Block", "Document", "Folded", "fold", "read_html", "read_text"]

BLOCK_KINDS = (
    "title",
    "meta",
    "jsonld",
    "heading",
    "paragraph",
    "list_item",
    "table_cell",
    "caption",
    "alt",
    "button",
    "nav",
    "footer",
    "quote",
)


class Block(NamedTuple):  # hundreds a page: a frozen dataclass takes four times as long to make
    """A piece of the canonical text. `level` is the heading's level, or the row number of a table cell."""

    id: int
    kind: str
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    level: int = 0


_new_block = tuple.__new__


@dataclass(frozen=True)
class Document:
    """`text[block.start:block.end]` is the block. `marks`: what the page shows of itself, by kind."""

    text: str
    blocks: tuple[Block, ...]
    marks: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> str:
        """Of the text in UTF-8, in hex."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Blocks and marks without the text, which is kept beside."""
        rows = [[kind, start, end, level, list(path)] for _, kind, start, end, path, level in self.blocks]
        return {"blocks": rows, "marks": self.marks}

    @classmethod
    def from_json(cls, text: str, stored: Mapping[str, Any]) -> Document:
        blocks = tuple(
            Block(number, kind, start, end, tuple(path), level)
            for number, (kind, start, end, level, path) in enumerate(stored["blocks"])
        )
        return cls(text, blocks, {key: list(values) for key, values in stored["marks"].items()})


class _Writer:
    """Collects blocks into the canonical text; keeps the heading path."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.blocks: list[Block] = []
        self.length = 0
        self.levels: list[int] = []
        """Of the headings that are open; `path` has their words."""
        self.path: tuple[str, ...] = ()

    def copy(self) -> _Writer:
        made = _Writer()
        made.parts, made.blocks, made.levels = [*self.parts], [*self.blocks], [*self.levels]
        made.length, made.path = self.length, self.path
        return made

    def add(self, kind: str, raw: str, level: int = 0, path: tuple[str, ...] | None = None) -> None:
        even = raw.isprintable() and "  " not in raw  # of white space, only the plain blank is printable
        text = raw.strip() if even else " ".join(raw.split())
        if not text:
            return
        if kind == "heading":
            while self.levels and self.levels[-1] >= level:
                self.levels.pop()
            path = self.path[: len(self.levels)]
            self.levels = [*self.levels[-11:], level]
            self.path = (*path[-11:], text[:300])
        elif path is None:
            path = () if kind in ("nav", "footer") else self.path
        if self.parts:
            self.length += 1
        end = self.length + len(text)
        # a third quicker than Block(…), and there are hundreds a page
        self.blocks.append(_new_block(Block, (len(self.blocks), kind, self.length, end, path, level)))
        self.parts.append(text)
        self.length = end


class _Reading:
    """Makes blocks of texts and of the steps between them."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer
        self.buffer: list[str] = []
        self.row = 0
        self.rows: list[int] = []
        """Of the table cells around this place."""
        self.told: dict[int, Element] = {}
        """Elements that may show something of the page."""

    def markup(self, markup: str) -> None:
        """Raises IrregularError."""
        place = _PLACES.start()
        between: str | None = None
        for piece in texts(markup):
            if between is None:
                between = piece
                continue
            step = place.known.get(between) or _PLACES.step(place, between)
            self.follow(step)
            place, between = step.to, None
            if not place.passed_over:
                self.buffer.append(plain(piece))
        step = place.known.get(between or "") or _PLACES.step(place, between or "")
        self.follow(step)
        if step.to.outer is not None:
            raise IrregularError(f"<{step.to.name}> without an end")
        self.end()

    def nodes(self, root: LexborNode) -> None:
        """The same, node by node, without recursion: pages nest deeper than Python's stack."""
        places = Places()
        walk = Walk(places, places.start())
        around: list[LexborNode] = []
        node: LexborNode | None = root.child
        while node is not None:
            name = node.tag or ""
            if name == "-text":
                self.follow(walk.step())
                walk = Walk(places, walk.place)
                self.buffer.append(node.text_content or "")
            elif not (one := _of_node(name, node)).passed_over:
                walk.enter(one)
                if not one.empty:
                    if node.child is not None:
                        around.append(node)
                        node = node.child
                        continue
                    walk.leave(name)
            while node.next is None and around:
                node = around.pop()
                walk.leave(node.tag or "")
            node = node.next
        self.follow(walk.step())
        self.end()

    def follow(self, step: Step) -> None:
        if step.flush and self.buffer:
            kind, level, in_cell = step.flush
            self.writer.add(kind, "".join(self.buffer), self.rows[-1] if in_cell else level)
            self.buffer.clear()
        for act in step.acts:
            self.act(act)
        for one in step.told:
            self.told[id(one)] = one

    def act(self, act: Act) -> None:
        if isinstance(act, Shown):
            self.writer.add(act.kind, act.words)
        elif act == BLANK:
            self.buffer.append(" ")
        elif act == ROW:
            self.row += 1
        elif act == CELL:
            self.rows.append(self.row)
        else:
            self.rows.pop()

    def end(self) -> None:
        self.writer.add("paragraph", "".join(self.buffer))


_PLACES = Places()


def _of_node(name: str, node: LexborNode) -> Element:
    if not asked_for_attributes(name):
        return element(name, {}, False)
    attributes = node.attributes
    return element(name, attributes, may_tell(name, " ".join(filter(None, attributes.values()))))


_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def _known(name: str) -> str:
    """Python's name of an encoding, empty if there is none. Latin-1 and ASCII mean Windows-1252 (WHATWG Encoding)."""
    try:
        found = codecs.lookup(name.strip()).name
    except LookupError:
        return ""
    return "cp1252" if found in ("iso8859-1", "ascii") else found


def decode(raw: bytes, content_type: str = "") -> str:
    """BOM, then UTF-8 if the bytes are UTF-8 whatever is declared, then header, meta, Windows-1252."""
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(name, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as flaw:
        cut_short = flaw.start > len(raw) - 4 and len(raw) > 64
    if cut_short:
        return raw.decode("utf-8", errors="replace")
    header = _CHARSET.search(content_type)
    meta = _META_CHARSET.search(raw[:4096])
    for declared in (header.group(1) if header else "", meta.group(1).decode("ascii") if meta else ""):
        name = _known(declared) if declared else ""
        if not name or (name.startswith("utf-16") and raw[:200].count(0) == 0):
            continue
        text = raw.decode(name, errors="replace")
        if text.count("\ufffd") <= len(text) // 50:
            return text
    return raw.decode("cp1252", errors="replace")


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_UNNESTED = frozenset(  # void, or closed by the next of their kind
    "area base br col embed hr img input link meta source track wbr".split()
    + "li p td th tr dt dd option thead tbody tfoot".split()
)
_DEEPEST = 500  # as browsers do; the parser's time grows with the square of the depth
_MANY_TAGS = 20_000


def _shallow(source: str) -> str:
    """Leaves out tags nested deeper than browsers nest; the text stays."""
    if source.count("<") < _MANY_TAGS:
        return source
    depth = 0

    def keep(match: re.Match[str]) -> str:
        nonlocal depth
        if match.group(2).lower() in _UNNESTED or match.group(0).endswith("/>"):
            return match.group(0)
        too_deep = depth > _DEEPEST
        depth = max(0, depth - 1) if match.group(1) else depth + 1
        return " " if too_deep else match.group(0)

    return _TAG.sub(keep, source)


_SURROGATES = re.compile("[\ud800-\udfff]")


def _clean(text: str) -> str:
    """One for one: NUL and lone surrogates cannot be stored or digested."""
    usable = text.replace("\x00", "\ufffd")
    try:
        usable.encode()  # three times as quick as to look for them
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", usable)
    return usable


def source_of(raw: str | bytes, content_type: str = "") -> str:
    """Markup decoded, its nesting cut to what browsers nest: what any parser can be given without waiting for it."""
    return _shallow(_clean(decode(raw, content_type) if isinstance(raw, bytes) else raw))


def read_html(html: str | bytes, content_type: str = "") -> Document:
    """Any bytes or text as a document; never raises for what the page holds."""
    source = _clean(decode(html, content_type) if isinstance(html, bytes) else html)
    if not source.strip():
        return Document("", ())
    tree = LexborHTMLParser(_shallow(source))
    root = tree.root
    if root is None:
        return Document("", ())
    writer, marks = _Writer(), Marks()
    marks.root(root.attributes)
    _head(tree, writer, marks)
    reading = _walked(root, writer)
    for one in reading.told.values():
        marks.element(one.name, one.told)
    text = "\n".join(reading.writer.parts)
    marks.text(text)
    return Document(text, tuple(reading.writer.blocks), marks.found())


def _walked(root: LexborNode, begun: _Writer) -> _Reading:
    """The quickest way that this page allows."""
    markup = root.inner_html or ""
    ways: list[Callable[[str], str]] = [without_unread] if "<script" in markup else [str, without_unread]
    for regular in ways:
        reading = _Reading(begun.copy())
        try:
            reading.markup(regular(markup))
        except IrregularError:
            continue  # its nodes say the same
        return reading
    reading = _Reading(begun)
    reading.nodes(root)
    return reading


def _head(tree: LexborHTMLParser, writer: _Writer, marks: Marks) -> None:
    title = tree.css_first("title")
    if title is not None:
        writer.add("title", title.text())
    told: set[str] = set()
    found = tree.css('meta, link[rel], script[type="application/ld+json"]')  # all at once: a third of the time
    for meta in (node for node in found if node.tag == "meta"):
        name, content = marks.meta(meta.attributes)
        if (
            name in ("description", "og:description", "og:title", "twitter:description", "keywords")
            and content not in told
        ):
            told.add(content)
            writer.add("meta", content)
    for link in (node for node in found if node.tag == "link"):
        marks.link(link.attributes)
    for script in (node for node in found if node.tag == "script"):
        for path, words in json_ld_blocks(script.text(), marks, plain=_plain):
            writer.add("jsonld", words, path=path)


_BLOCK_TAG = re.compile(r"</?(?:p|div|li|br|h[1-6]|ul|ol|tr|td)\b", re.IGNORECASE)


def _plain(value: str) -> str:
    """Text of a fragment of HTML, as JSON-LD answers often are."""
    if "<" not in value and "&" not in value:
        return value
    body = LexborHTMLParser(_BLOCK_TAG.sub(r" \g<0>", value)).body
    return value if body is None else body.text()


_BULLET = re.compile(
    r"\s*(?:[-*\u2022\u2023\u25aa\u25cf\u25e6\u2013\u2713\u2714\u2705\u30fb\u25a0\u25c6]|\(?\d{1,2}[.)])\s+(?=\S)"
)
_CJK_BULLET = re.compile(r"\s*[\u30fb\u25a0\u25c6\u25cf\u2022\u2713\u2714\u2705]\s*(?=\S)")
_HEADING = re.compile(r"\s*(#{1,6})\s+(?=\S)")


def _lines(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[^\r\n]+", text):
        start, end = match.span()
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            yield start, end


def _line_kind(line: str) -> tuple[str, int, int]:
    """Kind, heading level, and how long the bullet or the heading's mark is."""
    if heading := _HEADING.match(line):
        return "heading", len(heading.group(1)), heading.end()
    if bullet := _BULLET.match(line) or _CJK_BULLET.match(line):
        return "list_item", 0, bullet.end()
    return "paragraph", 0, 0


def read_text(text: str) -> Document:
    """Plain text, kept as it is: one block a line; bullets are list items, `# ` lines are headings."""
    clean = _clean(text)
    writer = _Writer()
    blocks: list[Block] = []
    for start, end in _lines(clean):
        kind, level, marker = _line_kind(clean[start:end])
        writer.add(kind, clean[start + marker : end], level)
        path = writer.blocks[-1].heading_path
        blocks.append(Block(len(blocks), kind, start + marker, end, path, level))
    marks = Marks()
    marks.text(clean)
    return Document(clean, tuple(blocks), marks.found())
