"""SVG as a page can hold it: without styles of its own, in the page's colours, with its words and a description.

The site's content security policy allows no inline style, and a reader may have chosen dark: so every declaration
becomes an attribute, and every colour of ours the name of one of the stylesheet's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# What is parsed is what matplotlib has just written in this process.
from xml.etree import ElementTree as Tree

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
COLOURS: Mapping[str, str] = {
    "#1d1d1b": "var(--ink, #1d1d1b)",
    "#2a2a28": "var(--chart-edge, #2a2a28)",
    "#b9b4a9": "var(--chart-pale, #b9b4a9)",
    "#fdfcf9": "var(--paper, #fdfcf9)",
    "#0072b2": "var(--chart-1, #0072b2)",
    "#e69f00": "var(--chart-2, #e69f00)",
    "#56b4e9": "var(--chart-3, #56b4e9)",
    "#d55e00": "var(--chart-4, #d55e00)",
    "#999999": "var(--chart-5, #999999)",
    "#009e73": "var(--chart-6, #009e73)",
}
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"(?:(?P<weight>\d{3}|bold)\s+)?(?P<size>[\d.]+)px\s+.*")


def for_pages(written: str, *, key: str, texts: Mapping[str, str], title: str, description: str) -> str:
    """The picture inside a page. `texts`: id of a group → the words to stand in it, whatever was drawn to measure them.

    `key` begins every id, so that many pictures can stand in one document.
    """
    root = Tree.fromstring(written)  # noqa: S314
    for unwanted in ("metadata", f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
        _remove(root, unwanted)
    _set_texts(root, texts)
    _rename(root, key)
    for element in root.iter():
        _plain(element)
    _describe(root, key, title, description)
    return _serialised(root)


def _remove(root: Tree.Element, tag: str) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == tag:
                parent.remove(child)


def _set_texts(root: Tree.Element, texts: Mapping[str, str]) -> None:
    for group in root.iter(f"{{{SVG}}}g"):
        wanted = texts.get(group.get("id", ""))
        if wanted is not None:
            for text in group.iter(f"{{{SVG}}}text"):
                text.text = wanted


def _rename(root: Tree.Element, key: str) -> None:
    """Ids that nothing points to go; the others get the picture's own beginning."""
    used = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            used |= set(_REFERENCE.findall(value))
            if name == f"{{{XLINK}}}href":
                used.add(value.removeprefix("#"))
    for element in root.iter():
        held = element.attrib.pop("id", None)
        if held in used:
            element.set("id", f"{key}-{held}")
        for name, value in list(element.attrib.items()):
            if name == f"{{{XLINK}}}href":
                del element.attrib[name]
                element.set("href", f"#{key}-{value.removeprefix('#')}")
            else:
                element.set(name, _REFERENCE.sub(rf"url(#{key}-\1)", value))


def _plain(element: Tree.Element) -> None:
    """Declarations of style as attributes, colours by name."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            found = _FONT.fullmatch(value)
            element.set("font-size", found["size"] if found else "9")
        elif name and name != "font-family":
            element.set(name, value)
    for name in ("fill", "stroke"):
        if name in element.attrib:
            element.set(name, COLOURS.get(element.attrib[name].lower(), element.attrib[name]))
    if element.tag == f"{{{SVG}}}text" and "fill" not in element.attrib:
        element.set("fill", COLOURS["#1d1d1b"])


def _describe(root: Tree.Element, key: str, title: str, description: str) -> None:
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{key}-title")
    root.set("aria-describedby", f"{key}-desc")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        child = Tree.Element(f"{{{SVG}}}{tag}", {"id": f"{key}-{tag}"})
        child.text = text
        root.insert(place, child)


def _serialised(root: Tree.Element) -> str:
    Tree.register_namespace("", SVG)
    return Tree.tostring(root, encoding="unicode").strip()
