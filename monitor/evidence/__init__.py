"""What was received, kept so that anyone can check it."""
