"""The database: engine and tables."""
