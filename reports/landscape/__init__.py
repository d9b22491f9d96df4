"""The landscape: what was counted in a period, as figures with their tables and pictures, written in each form."""

from reports.landscape.assemble import gather
from reports.landscape.formats import FORMATS, USUAL, body, table_of, write
from reports.landscape.view import Figure, Landscape

__all__ = ["FORMATS", "USUAL", "Figure", "Landscape", "body", "gather", "table_of", "write"]
