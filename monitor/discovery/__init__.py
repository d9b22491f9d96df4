"""Sites that nobody reads yet."""
