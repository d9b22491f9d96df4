"""Reads workbooks as ISO/IEC 29500 has them: values and styles of cells, with nothing assumed about who wrote them."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lxml import etree

_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class Cell:
    """`kind`: text, number or boolean; `format`: the number format's code; `quoted`: a text, however it begins."""

    kind: str
    value: Any
    format: str = ""
    quoted: bool = False


class Workbook:
    """A workbook's sheets by name, each a list of rows, each a mapping from column letters to cells."""

    def __init__(self, content: bytes) -> None:
        self.archive = zipfile.ZipFile(BytesIO(content))
        assert self.archive.testzip() is None
        self.parts = {name: self.archive.read(name) for name in self.archive.namelist()}
        self._styles = self._read_styles()
        names = self._tree("xl/workbook.xml").findall(".//m:sheet", _NS)
        self.sheets = {
            str(each.get("name")): self._rows(f"xl/worksheets/sheet{number}.xml")
            for number, each in enumerate(names, 1)
        }

    def _tree(self, part: str) -> etree._Element:
        return etree.fromstring(self.parts[part])

    def _read_styles(self) -> list[tuple[str, bool]]:
        tree = self._tree("xl/styles.xml")
        codes = {each.get("numFmtId"): str(each.get("formatCode")) for each in tree.findall(".//m:numFmt", _NS)}
        return [
            (codes.get(each.get("numFmtId"), ""), each.get("quotePrefix") == "1")
            for each in tree.findall(".//m:cellXfs/m:xf", _NS)
        ]

    def _rows(self, part: str) -> list[dict[str, Cell]]:
        rows = []
        for row in self._tree(part).findall(".//m:row", _NS):
            cells = {}
            for cell in row.findall("m:c", _NS):
                letters = re.sub(r"\d", "", str(cell.get("r")))
                cells[letters] = self._cell(cell)
            rows.append(cells)
        return rows

    def _cell(self, cell: etree._Element) -> Cell:
        style, quoted = self._styles[int(cell.get("s") or 0)]
        assert cell.find("m:f", _NS) is None, "a formula"
        kind = cell.get("t")
        if kind == "inlineStr":
            text = cell.find("m:is/m:t", _NS)
            held = "" if text is None else text.text or ""
            return Cell("text", _ESCAPE.sub(lambda found: chr(int(found[1], 16)), held), style, quoted)
        value = str(cell.findtext("m:v", namespaces=_NS))
        return Cell("boolean", value == "1") if kind == "b" else Cell("number", float(value), style, quoted)
