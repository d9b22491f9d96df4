"""The clock and the passes: what is read when, one reader a source."""
