"""What a page says of the products it offers: facts, each with its words or its place in structured data. Pure."""

from monitor.products.reader import READER, read_products
from monitor.products.shapes import KINDS, STRUCTURED, Fact, ProductReading, Told
from monitor.products.told import read_told, told_at

__all__ = ["KINDS", "READER", "STRUCTURED", "Fact", "ProductReading", "Told", "read_products", "read_told", "told_at"]
