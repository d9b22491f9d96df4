"""A page as text that can be cited, and what differs between two looks at it. Pure."""
