"""Sending: letters are written, put into the outbox and handed over, each once."""
