"""What `python -m reports` does, a module for each group of commands."""
