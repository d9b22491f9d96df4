"""Who is told of what: watchlists, subscriptions, the outbox."""
