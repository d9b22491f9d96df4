"""A page as text that can be cited: blocks with heading paths, every one a slice of one canonical text.

Nothing visible is thrown away; what a reader cannot see (script, style, template) is not text. No I/O.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.folding import Folded, fold
from monitor.marks import Marks, json_ld_blocks

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

    def add(self, kind: str, raw: str, level: int = 0, path: tuple[str, ...] | None = None) -> None:
        text = " ".join(raw.split())
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

    def document(self, marks: dict[str, list[str]]) -> Document:
        return Document("\n".join(self.parts), tuple(self.blocks), marks)


_HIDDEN = frozenset("script style template head title meta link base svg math iframe object noembed noframes".split())
_KINDS = {
    **{f"h{level}": "heading" for level in range(1, 7)},
    "dt": "heading",
    "summary": "heading",
    "li": "list_item",
    "dd": "paragraph",
    "td": "table_cell",
    "th": "table_cell",
    "figcaption": "caption",
    "caption": "caption",
    "legend": "caption",
    "button": "button",
    "option": "button",
    "blockquote": "quote",
    "nav": "nav",
    "footer": "footer",
}
_LEVELS = {**{f"h{level}": level for level in range(1, 7)}, "dt": 7, "summary": 7}
_BREAKING = frozenset(
    (
        "address article aside body center details dialog dir div dl fieldset figure form header hgroup hr html main "
        "menu noscript ol optgroup p pre section select table tbody textarea tfoot thead tr ul br"
    ).split()
)
# A kind met inside these stays what its surrounding is, so that a list in a footer is footer.
_HOLDING = frozenset({"nav", "footer", "quote"})


class _Tag(NamedTuple):
    """What a kind of element means for the text. `ends`: what was said before its end is a block."""

    passed_over: bool
    kind: str | None
    level: int
    has_attributes: bool
    breaks: bool
    ends: bool


class _Tags(dict[str, _Tag]):
    """Worked out once a name: one look-up for each of a page's hundreds of elements."""

    def __missing__(self, tag: str) -> _Tag:
        kind = _KINDS.get(tag)
        breaks = kind is not None or tag in _BREAKING
        made = _Tag(
            passed_over=tag in _HIDDEN or tag[:1] in "-!",
            kind=kind,
            level=_LEVELS.get(tag, 0),
            has_attributes=kind is None or tag in _ATTRIBUTED,
            breaks=breaks,
            ends=breaks and tag != "br",
        )
        if len(self) < _MOST_NAMES:  # a page may make up as many as it likes
            self[tag] = made
        return made


class _Walk:
    """One pass over the tree, without recursion: pages nest deeper than Python's stack."""

    def __init__(self, writer: _Writer, marks: Marks) -> None:
        self.writer = writer
        self.marks = marks
        self.buffer: list[str] = []
        self.kinds: list[tuple[str, int]] = [("paragraph", 0)]
        self.row = 0
        self.opened: list[tuple[LexborNode, bool, bool]] = []
        """Elements around this place; has it a kind of its own; does its end end a block?"""
        self.told: list[tuple[str, Mapping[str, str | None]]] = []
        """Elements that have attributes."""

    def flush(self) -> None:
        raw = "".join(self.buffer)
        self.buffer.clear()
        if not raw.isspace():  # what stands between tags is mostly a line's end
            kind, level = self.kinds[-1]
            self.writer.add(kind, raw, level)

    def run(self, root: LexborNode) -> None:
        node: LexborNode | None = root.child
        while node is not None:
            tag = node.tag or ""
            if tag == "-text":
                self.buffer.append(node.text_content or "")
            else:
                about = _TAGS[tag]
                if not about.passed_over and self.enter(node, tag, about):
                    below = node.child
                    if below is not None:
                        node = below
                        continue
                    self.leave()
            following = node.next
            node = self.up() if following is None else following
        if self.buffer:
            self.flush()
        self.marks.elements(self.told)

    def up(self) -> LexborNode | None:
        """Leave what ends here; what follows it."""
        while self.opened:
            following: LexborNode | None = self.leave().next
            if following is not None:
                return following
        return None

    def enter(self, node: LexborNode, tag: str, about: _Tag) -> bool:
        """Begin an element. False for a line's end in a heading, which has nothing to enter or leave."""
        held = self.kinds[-1][0]
        if tag == "br" and held == "heading":
            self.buffer.append(" ")
            return False
        kind = about.kind
        attributes = node.attributes if about.has_attributes else {}
        if kind is None and attributes:
            kind = _ROLES.get(attributes.get("role") or "")
        if self.buffer and (about.breaks or kind is not None or (tag == "a" and held in _IN_PARTS)):
            self.flush()
        if tag == "tr":
            self.row += 1
        if attributes:
            self.told.append((tag, attributes))
            if tag in _SHOWN:
                self.show(tag, attributes)
        if kind is None:
            self.opened.append((node, False, about.ends))
            return True
        level = self.row if kind == "table_cell" else about.level or (2 if kind == "heading" else 0)
        self.kinds.append((held if held in _HOLDING and kind != "nav" else kind, level))
        self.opened.append((node, True, True))
        return True

    def leave(self) -> LexborNode:
        node, own, ends = self.opened.pop()
        if ends and self.buffer:
            self.flush()
        if own:
            self.kinds.pop()
        return node

    def show(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        """Words that stand in attributes."""
        if attributes.get("alt"):
            self._put("alt", attributes["alt"] or "")
        if tag == "input" and attributes.get("type") in ("submit", "button"):
            self._put("button", attributes.get("value") or "")

    def _put(self, kind: str, words: str) -> None:
        if self.buffer:
            self.flush()
        self.writer.add(kind, words)


_ATTRIBUTED = frozenset(["a", "img", "input", "area", "time", "button", "form", "span", "div"])
_SHOWN = frozenset(["img", "area", "input"])
_IN_PARTS = frozenset(["nav", "footer"])
_ROLES = {"button": "button", "navigation": "nav", "contentinfo": "footer", "heading": "heading"}
_MOST_NAMES = 500
_TAGS = _Tags()
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
    return usable if text.isascii() else _SURROGATES.sub("\ufffd", usable)


def source_of(raw: str | bytes, content_type: str = "") -> str:
    """Markup decoded, its nesting cut to what browsers nest: what any parser can be given without waiting for it."""
    return _shallow(_clean(decode(raw, content_type) if isinstance(raw, bytes) else raw))


def read_html(html: str | bytes, content_type: str = "") -> Document:
    """Any bytes or text as a document; never raises for what the page holds."""
    source = _clean(decode(html, content_type) if isinstance(html, bytes) else html)
    writer = _Writer()
    marks = Marks()
    if not source.strip():
        return writer.document({})
    tree = LexborHTMLParser(_shallow(source))
    root = tree.root
    if root is None:
        return writer.document({})
    marks.root(root.attributes)
    _head(tree, writer, marks)
    _Walk(writer, marks).run(root)
    document = writer.document({})
    marks.text(document.text)
    return Document(document.text, document.blocks, marks.found())


def _head(tree: LexborHTMLParser, writer: _Writer, marks: Marks) -> None:
    title = tree.css_first("title")
    if title is not None:
        writer.add("title", title.text())
    told: set[str] = set()
    for meta in tree.css("meta"):
        name, content = marks.meta(meta.attributes)
        if (
            name in ("description", "og:description", "og:title", "twitter:description", "keywords")
            and content not in told
        ):
            told.add(content)
            writer.add("meta", content)
    for link in tree.css("link[rel]"):
        marks.link(link.attributes)
    for script in tree.css('script[type="application/ld+json"]'):
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
