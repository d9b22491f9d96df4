"""From a run folder to the tables: one room for each kind of record."""
