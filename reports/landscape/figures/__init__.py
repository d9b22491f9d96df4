"""The figures of a landscape: each a table with what it counts, where that stands, and perhaps a picture."""
